"""The daemon: schedule, folder watch, health, metrics, systemd."""
