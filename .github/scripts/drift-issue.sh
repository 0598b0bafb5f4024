#!/usr/bin/env bash
# One issue for drift. $1 is a folder with STACK.md of every stack that is not as its settings say; empty: no drift.
# Opens the issue or takes the open one, one comment per stack; closes it when nothing drifts any more.
set -euo pipefail
folder=$1
title="Drift: what runs is not what the stack files say"

number=$(gh issue list --state open --search "in:title \"$title\"" --json number,title \
    --jq "[.[] | select(.title == \"$title\")][0].number // empty")
reports=("$folder"/*.md)
if [ ! -e "${reports[0]}" ]; then
    [ -z "$number" ] || gh issue close "$number" --comment "Nothing drifts any more."
    exit 0
fi
if [ -z "$number" ]; then
    body="A preview with refresh would change something. One comment per stack says what; run \`pulumi refresh\` and
\`pulumi up\` to bring the stack back, or write what was changed by hand into its stack file."
    number=$(gh issue create --title "$title" --body "$body" | sed 's#.*/##')
fi
for report in "${reports[@]}"; do
    "$(dirname "$0")/sticky-comment.sh" "$number" "$report"
done
