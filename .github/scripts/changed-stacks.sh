#!/usr/bin/env bash
# Prints the deployed stacks that a change since revision $1 concerns, as a JSON list: those whose stack file differs,
# or all of them when the program does. $DEPLOYED is the JSON list of stacks that this repository deploys.
set -euo pipefail
base=$1

# What a stack is made of, beside its own file.
program=(':(glob)**/*.py' ':(glob)**/*.json' Pulumi.yaml requirements.txt ':(exclude)tests' ':(exclude)benchmarks')
if git diff --quiet "$base" -- "${program[@]}"; then
    # A stack whose settings have mistakes is listed too; the command's exit code is judged elsewhere.
    changed=$(python -m gpu_slices diff --base "$base" --format json | jq -c '[.stacks[].stack]' || true)
else
    changed=$DEPLOYED
fi
jq -cn --argjson deployed "$DEPLOYED" --argjson changed "${changed:-[]}" '$deployed - ($deployed - $changed)'
