#!/bin/sh
# Makes the virtual environment from the lock file. Usage: set_up_environment.sh VENV PYTHON
set -eu
venv=$1
python=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "FactoryOps needs Python 3.11 or newer; '$python' is not. Install it, or run: make PYTHON=/path/to/python3.11 ..." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "Python's venv module is missing. Install it (on Debian and Ubuntu: apt-get install python3-venv) and try again." >&2
    exit 1
fi

echo "Setting up $venv (once; takes about a minute) ..."
rm -f "$venv/ready"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "  [1/3] the installer"
uv_line=$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$uv_line"
echo "  [2/3] the locked dependencies"
"$venv/bin/python" -m uv pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes requirements.lock
echo "  [3/3] FactoryOps itself"
"$venv/bin/python" -m uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
touch "$venv/ready"
