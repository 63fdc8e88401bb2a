# What .ci/run and .ci/nightly share. Source it from the top of the checkout.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step() { printf '\n== %s\n' "$*"; }

# need_debian COMMAND PACKAGE: install the package where the command is missing.
need_debian() {
  command -v "$1" > /dev/null && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$2" > /dev/null
}

# need_python: a python3 of 3.11 or newer that can make virtual environments.
need_python() {
  need_debian python3 python3
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: python3 is older than 3.11"; exit 2; }
  python3 -c 'import ensurepip' 2> /dev/null || { apt-get update -qq && apt-get install -qq -y python3-venv > /dev/null; }
}

# readme_command N: the Nth fenced `sh` block of the README.
readme_command() {
  awk -v want="$1" '/^```sh$/ {n++; inside = (n == want); next} /^```$/ {inside = 0} inside' README.md
}

# supported_pythons: every interpreter found that we declare, one a line, oldest first.
supported_pythons() {
  for minor in 11 12 13 14 15; do
    for candidate in $(command -v -a "python3.$minor" 2> /dev/null || true) "$HOME"/.pyenv/versions/3."$minor".*/bin/python; do
      if "$candidate" -c 'import venv, ensurepip' 2> /dev/null; then echo "$candidate"; break; fi
    done
  done
}

newest_python() { supported_pythons | tail -n 1; }

# expect CODE COMMAND...: run, and fail unless it exits with the code.
expect() {
  local want=$1 got=0
  shift
  "$@" || got=$?
  [ "$got" -eq "$want" ] || { echo "error: exit code $got, expected $want: $*"; return 1; }
}

# try_wheel PYTHON WHEEL: install into a new environment, replay demo and audit away from the checkout.
try_wheel() {
  local home="$scratch/try-$RANDOM"
  "$1" -m venv "$home/venv"
  "$home/venv/bin/python" -m pip install --quiet "$2"
  (
    cd "$home"
    venv/bin/hardenctl --version
    venv/bin/hardenctl demo project
    expect 1 venv/bin/hardenctl audit project > report.txt
    for rule in env-file-committed cors-any-origin-credentials gunicorn-hardcoded-workers secret-; do
      grep -q -- "$rule" report.txt || { echo "error: $rule is not in the report"; exit 1; }
    done
    venv/bin/hardenctl render gunicorn project > gunicorn.conf.py
    grep -q workers gunicorn.conf.py
    tail -n 6 report.txt
  )
}
