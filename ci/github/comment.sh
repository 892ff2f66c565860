#!/usr/bin/env bash
# The one comment of a pull request that begins with the file's first line says now what the file says.
# Usage: comment.sh NUMBER FILE; GH_TOKEN and GITHUB_REPOSITORY as in a workflow.
set -euo pipefail
number=$1 file=$2
marker=$(head -n 1 "$file")
case $marker in "<!-- quantctl "*) ;; *) echo "$file does not begin with quantctl's marker" >&2; exit 1 ;; esac
comments="repos/$GITHUB_REPOSITORY/issues/$number/comments"
id=$(MARKER=$marker gh api --paginate "$comments" --jq '.[] | select(.body | startswith(env.MARKER)) | .id' | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@"$file" --jq .html_url
else
  gh api --method POST "$comments" --field body=@"$file" --jq .html_url
fi
