#!/bin/sh
# Makes ./secrets once; what is there already is left as it is. The files are readable, the folder is not: containers are handed the
# files one by one, as users that this machine does not know.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
umask 022

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"; }

keep admin-token "$(random)"
keep worker-token "$(random)"
keep postgres-password "$(random)"
keep valkey-password "$(random)"

database="postgres://spillway:$(cat secrets/postgres-password)@postgres"
keep database-url "$database/spillway_control"
keep store-url "$database/spillway_store"
keep stream-url "valkey://:$(cat secrets/valkey-password)@valkey:6379"
keep valkey.conf "requirepass $(cat secrets/valkey-password)
maxmemory-policy noeviction
appendonly yes
dir /data"
echo 'The admin token is in secrets/admin-token.'
