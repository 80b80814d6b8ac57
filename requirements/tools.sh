#!/bin/sh
# Print a Python that can carry Casemate; or say what this machine lacks and the exact line that installs it.
missing=""
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v make >/dev/null 2>&1 || missing="$missing make"

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'
complete='import ensurepip, venv'
found=""
bare=""
for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    "$python" -c "$fits" >/dev/null 2>&1 || continue
    if "$python" -c "$complete" >/dev/null 2>&1; then
        found=$python
        break
    fi
    bare=${bare:-$python}
done

if [ -z "$found" ]; then
    case "$bare" in
        "") missing="$missing python3 python3-venv" ;;
        python3) missing="$missing python3-venv" ;;
        *) missing="$missing $(basename "$bare")-venv" ;;
    esac
fi

if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo "
    echo "This machine lacks:$missing. On Debian or Ubuntu:" >&2
    echo "    ${sudo}apt-get update && ${sudo}apt-get install -y$missing" >&2
    [ -n "$bare$found" ] || echo "(Python 3.11 to 3.14 is needed; Debian 12 brings 3.11. Another one: PYTHON=/path/to/python make ...)" >&2
    exit 1
fi
echo "$found"
