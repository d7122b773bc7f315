# Rebuilds a project's files without mirrord, with unzip and jq.
# Run it with sh in the folder that holds _mirror.
#   OUT  the folder to fill; must not exist (default: recovered)
#   AT   the number of a commit (default: the newest)
# A checkpoint shows a tree faster, but only at its own commit:
#   gunzip -c _mirror/checkpoints/0000000128.json.gz | jq '.history.manifest'
OUT=${OUT:-recovered}
work=$(mktemp -d)
mkdir "$OUT"

# 1. The log, one entry a line. An entry may be a folder that holds `body`.
for entry in _mirror/log/[0-9]*/[0-9]*.json; do
  if [ -d "$entry" ]; then entry=$entry/body; fi
  jq -c . "$entry" 2>/dev/null || echo null
done > "$work/log"

# 2. What the entries add up to. One that does not fit changes nothing.
jq -s --argjson at "${AT:-0}" '
  reduce to_entries[] as {key: $place, value: $entry} ({files: {}, packs: {}};
    if ($entry | type) == "object"
      and [.files[$entry.changes[]?.path].sha256] == [$entry.changes[]?.from]
    then
      reduce $entry.packs[]? as $pack (.;
        reduce $pack.contents[] as $content (.; .packs[$content.sha256] = $pack.name))
      | reduce $entry.changes[]? as $change (.;
          if $change.to then .files[$change.path] = $change.to
          else del(.files[$change.path]) end)
    else . end
    | if $place + 1 == $at then .then = .files else . end)
  | .files = (if $at == 0 then .files else .then end)' "$work/log" > "$work/tree"
jq -r '.packs | to_entries[] | "\(.key) \(.value)"' "$work/tree" > "$work/packs"
jq -r '.files | to_entries[] | .key as $path | .value
  | (if .chunks then [.chunks[].sha256] | join(",") else .sha256 end) as $parts
  | "\(.kind) \(.exec // false) \(.private // false) \($parts) \($path)"' "$work/tree" > "$work/files"

# 3. The contents, out of the packs.
content() {
  name=$(sed -n "s/^$1 //p" "$work/packs")
  pack=_mirror/packs/${name#"${name%??}"}/$name.zip
  if [ -d "$pack" ]; then pack=$pack/body; fi
  unzip -p "$pack" "$1"
}
while IFS= read -r line; do
  kind=${line%% *} line=${line#* }
  exec=${line%% *} line=${line#* }
  private=${line%% *} line=${line#* }
  parts=${line%% *} path=${line#* }
  mkdir -p "$OUT/$(dirname "./$path")"
  for part in $(echo "$parts" | tr , ' '); do content "$part"; done > "$work/bytes"
  case $kind in
    link) ln -s "$(cat "$work/bytes")" "$OUT/$path" ;;
    *) cp "$work/bytes" "$OUT/$path" ;;
  esac
  if [ "$exec" = true ]; then chmod +x "$OUT/$path"; fi
  if [ "$private" = true ]; then chmod go= "$OUT/$path"; fi
done < "$work/files"
rm -r "$work"
