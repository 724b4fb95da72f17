#!/bin/sh
# Runs once, in an empty volume: a database and a user for each of those that share this server. Passwords come as variables of psql, never as text of SQL.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	-v lode_password="$LODE_PASSWORD" -v temporal_password="$TEMPORAL_PASSWORD" <<'SQL'
CREATE ROLE lode LOGIN PASSWORD :'lode_password';
CREATE DATABASE lode OWNER lode ENCODING 'UTF8' TEMPLATE template0;
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
