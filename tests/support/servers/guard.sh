# Runs a server for as long as the test lives that started this.
#
# Its input ends with the test, however that ended: then the server goes with
# all that it started, and the folder in $1 is removed. The word `stop` ends
# the server and leaves the folder.

# Stopped first, so that it can't start another while its children are looked
# for; the children of a dead process would be nobody's.
end() {
  kill -STOP "$1" 2> /dev/null || return 0
  for stat in /proc/[0-9]*/stat; do
    { read -r line < "$stat"; } 2> /dev/null || continue
    # After the name in brackets: the state, then the parent.
    # shellcheck disable=SC2086 # One word a field.
    set -- "$1" ${line##*) }
    [ "$3" = "$1" ] || continue
    child=${stat#/proc/}
    end "${child%/stat}"
  done
  kill -KILL "$1" 2> /dev/null
}

folder=$1
shift
"$@" < /dev/null > "$folder/output" 2>&1 &
server=$!
echo "$server"
word=
read -r word
end "$server"
[ "$word" = stop ] || rm -rf -- "$folder"
