#!/usr/bin/env bash
# Puts file $2 into the one comment of issue or pull request $1 that begins with the file's first line: updates it
# when it is there, else makes it. Only comments of bots are looked at, so that nobody's words are overwritten.
set -euo pipefail
number=$1
file=$2

first=$(head -n 1 "$file" | jq -R .)
filter=".[] | select(.user.type == \"Bot\") | select(.body | startswith($first)) | .id"
comments="repos/$GITHUB_REPOSITORY/issues/$number/comments"
id=$(gh api --paginate "$comments" --jq "$filter" | head -n 1)
if [ -n "$id" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$file" --jq .html_url
else
    gh api --method POST "$comments" -F "body=@$file" --jq .html_url
fi
