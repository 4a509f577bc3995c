CREATE TABLE migration (
	number INTEGER NOT NULL, 
	applied_at INTEGER NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE origin (
	name VARCHAR NOT NULL, 
	rules BLOB NOT NULL, 
	polled_at INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE file (
	origin VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	size INTEGER NOT NULL, 
	mtime_ns INTEGER NOT NULL, 
	ctime_ns INTEGER NOT NULL, 
	inode INTEGER NOT NULL, 
	content_hash BLOB NOT NULL, 
	young BOOLEAN NOT NULL, 
	PRIMARY KEY (origin, path)
)
 WITHOUT ROWID

;
CREATE TABLE body (
	body_id INTEGER NOT NULL, 
	text BLOB NOT NULL, 
	PRIMARY KEY (body_id)
);
CREATE TABLE copy (
	copy_id INTEGER NOT NULL, 
	origin VARCHAR NOT NULL, 
	location VARCHAR NOT NULL, 
	code VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	source_name VARCHAR, 
	title VARCHAR NOT NULL, 
	published INTEGER, 
	published_guess INTEGER NOT NULL, 
	raw_hash BLOB NOT NULL, 
	is_full BOOLEAN NOT NULL, 
	media_type VARCHAR NOT NULL, 
	link VARCHAR, 
	share_url VARCHAR, 
	categories VARCHAR NOT NULL, 
	changed INTEGER, 
	body_id INTEGER NOT NULL, 
	PRIMARY KEY (copy_id), 
	UNIQUE (origin, location)
);
CREATE INDEX copy_code ON copy (code);
CREATE TABLE article (
	article_id INTEGER NOT NULL, 
	code VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	source_name VARCHAR, 
	first_seen INTEGER NOT NULL, 
	first_poll INTEGER NOT NULL, 
	published INTEGER NOT NULL, 
	updated INTEGER, 
	revision INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	title VARCHAR NOT NULL, 
	raw_hash BLOB NOT NULL, 
	body_id INTEGER, 
	media_type VARCHAR NOT NULL, 
	link VARCHAR, 
	share_url VARCHAR, 
	categories VARCHAR NOT NULL, 
	is_full BOOLEAN NOT NULL, 
	removed BOOLEAN NOT NULL, 
	PRIMARY KEY (article_id), 
	UNIQUE (code)
);
CREATE INDEX article_window ON article (source, published DESC, code DESC);
CREATE INDEX article_newest ON article (published DESC, code DESC);
CREATE TABLE revision (
	code VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	seen_at INTEGER NOT NULL, 
	title VARCHAR NOT NULL, 
	media_type VARCHAR NOT NULL, 
	body_id INTEGER NOT NULL, 
	PRIMARY KEY (code, number)
)
 WITHOUT ROWID

;
CREATE TABLE rendition (
	code VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	rules BLOB NOT NULL, 
	html BLOB NOT NULL, 
	PRIMARY KEY (code)
);
CREATE TABLE poll (
	number INTEGER NOT NULL, 
	finished BOOLEAN NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE touched (
	source VARCHAR NOT NULL, 
	PRIMARY KEY (source)
);
CREATE TABLE problem (
	problem_id INTEGER NOT NULL, 
	origin VARCHAR NOT NULL, 
	location VARCHAR NOT NULL, 
	line INTEGER, 
	reason VARCHAR NOT NULL, 
	seen_at INTEGER NOT NULL, 
	PRIMARY KEY (problem_id)
);
CREATE INDEX problem_location ON problem (origin, location);
CREATE TABLE feed (
	"key" VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	rules BLOB NOT NULL, 
	fingerprint BLOB NOT NULL, 
	entries INTEGER NOT NULL, 
	updated INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	mtime_ns INTEGER NOT NULL, 
	checked_at INTEGER NOT NULL, 
	PRIMARY KEY ("key")
);
