#!/bin/sh
# run_client.sh BLOCK READY_SECONDS, from the folder that holds the package `client`.
# Carries out one block, then prints its records: packed, because kubelet keeps only the last 10 MiB of a log, and
# with a checksum, so that nobody takes a part for the whole. Ends as the client ended.
set -u
records=${TMPDIR:-/tmp}/records.jsonl
: >"$records"
python -m client --plan "$(dirname "$0")/$1.json" --out "$records" --ready-s "$2"
code=$?
gzip --best --stdout "$records" >"$records.gz"
echo "-----BEGIN RECORDS-----"
base64 "$records.gz"
echo "-----END RECORDS $(sha256sum "$records.gz" | cut -d ' ' -f 1)-----"
exit "$code"
