# Runs a server for as long as the test lives that started this.
#
# Its input ends with the test, however that ended: then the server goes with
# all that it started, and the folder in $1 is removed. The word `stop` ends
# the server and leaves the folder.

# The processes whose parent is $1: after a name in brackets stands the state,
# then the parent.
children() {
  cat /proc/[0-9]*/stat 2> /dev/null | sed -n "s/^\([0-9]*\) (.*) [A-Za-z] $1 .*/\1/p"
}

# Stopped first, so that it can't start another while its children are looked
# for; the children of a dead process would be nobody's.
end() {
  kill -STOP "$1" 2> /dev/null || return 0
  for child in $(children "$1"); do
    end "$child"
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
wait "$server" 2> /dev/null
[ "$word" != stop ] || exit 0
# A test may have left folders that even their owner can't change.
chmod -R u+rwX "$folder"
rm -rf -- "$folder"
