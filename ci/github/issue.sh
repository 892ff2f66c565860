#!/usr/bin/env bash
# Opens, refreshes or closes the one issue of the drift runs, as `quantctl drift-issue --format json` decided.
# Usage: issue.sh FILE; GH_TOKEN and GITHUB_REPOSITORY as in a workflow.
set -euo pipefail
file=$1
action=$(jq -r .action "$file")
issues="repos/$GITHUB_REPOSITORY/issues"
[ "$action" != leave ] || exit 0
marker=$(jq -r .marker "$file")
number=$(MARKER=$marker gh api --paginate "$issues?state=open&labels=drift" \
  --jq '.[] | select(.pull_request | not) | select(.body // "" | startswith(env.MARKER)) | .number' | head -n 1)
case $action in
  upsert)
    if [ -n "$number" ]; then
      jq '{title, body: .text}' "$file" | gh api --method PATCH "$issues/$number" --input - --jq .html_url
    else
      jq '{title, body: .text, labels}' "$file" | gh api --method POST "$issues" --input - --jq .html_url
    fi ;;
  close)
    [ -n "$number" ] || exit 0
    jq '{body: .text}' "$file" | gh api --method POST "$issues/$number/comments" --input - --jq .html_url
    gh api --method PATCH "$issues/$number" --field state=closed --field state_reason=completed --jq .html_url ;;
esac
