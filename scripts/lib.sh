# Shared by the scripts: messages, Debian packages, the build, and a private server. Sourced by bash
# scripts that set `root` to the source folder.
#
# Everything a script makes lies in build/; a private server lives in a folder of its own there,
# owned by the user it runs as, and is stopped and removed when the script ends.

export LC_ALL=C.UTF-8

say() {
    echo "== $*"
}

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Requires a way to do `what` as root.
need_root() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "$1 needs root, and there is no sudo: do it as root once, or install sudo"
}

# Is the argument a TAP file of ours?
is_tap_file() {
    [[ $1 == test/t/*.pl && -e $root/$1 ]]
}

# --- packages ---

debian_release() {
    (. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")
}

# The major version of the server that this Debian has: of testing and unstable the newest one that
# apt knows.
server_version() {
    case $(debian_release) in
        debian12) echo 15 ;;
        debian13) echo 17 ;;
        debian*)
            apt-cache pkgnames postgresql-server-dev- | sed -n 's/.*-\([0-9][0-9]*\)$/\1/p' |
                sort -n | tail -n 1 | grep . || die "apt knows no server: run apt-get update"
            ;;
        *) die "only Debian is known here; this is $(debian_release)" ;;
    esac
}

# Prints the packages of a purpose: build, client, test, browser, neon, python, clients, texts, demo,
# package, soak or assert-server.
packages_for() {
    case $1 in
        build)
            echo "g++ make libxsimd-dev libfast-float-dev" \
                "postgresql-$(server_version) postgresql-server-dev-$(server_version)"
            ;;
        client)
            echo "cmake ninja-build pkg-config libpq-dev libcli11-dev libfmt-dev nlohmann-json3-dev" \
                "libzstd-dev zlib1g-dev"
            ;;
        test)
            echo "cmake ninja-build libgtest-dev clang libclang-rt-dev libipc-run-perl zstd"
            if [ "$(debian_release)" = debian12 ]; then echo clang-format-14; fi
            ;;
        browser) echo "chromium chromium-driver" ;;
        neon) echo "cmake ninja-build g++-aarch64-linux-gnu qemu-user googletest" ;;
        python) echo "python3 python3-numpy python3-psycopg python3-pandas mypy" ;;
        clients)
            echo "python3 python3-psycopg python3-psycopg2 python3-asyncpg python3-sqlalchemy" \
                "python3-django python3-peewee"
            ;;
        texts) echo "python3 python3-numpy python3-psycopg" ;;
        demo) echo "python3 python3-numpy" ;;
        package) echo "build-essential debhelper dh-python lintian python3" ;;
        soak) echo "python3 python3-numpy libpq5" ;;
        assert-server) echo "gcc make bison flex perl dpkg-dev libipc-run-perl" ;;
    esac
}

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
}

# Installs those of the named packages that are missing; fails when apt does.
try_install_missing() {
    local missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    need_root "installing $(echo $missing)"
    say "installing" $missing
    as_root apt-get update -qq || return
    # A package must neither ask nor start anything that this script did not ask for.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing </dev/null >/dev/null
}

install_missing() {
    try_install_missing "$@" || die "could not install" $(missing_packages "$@")
}

# Sets PG_CONFIG, unless the caller did, and the paths of that server.
find_server() {
    PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$(server_version)/bin/pg_config}
    export PG_CONFIG
    pg_bin=$("$PG_CONFIG" --bindir) || die "no pg_config at $PG_CONFIG"
    pgxs_dir=$(dirname "$("$PG_CONFIG" --pgxs)")
}

# --- the source ---

# Brings a copy of the source up to date: files that left the source leave the copy, build products
# stay. `$1.files` lists what it holds.
copy_source() {
    local target=$1 files=$1.files
    local git=(git -c "safe.directory=$root" -C "$root")
    mkdir -p "$target"
    "${git[@]}" ls-files -z --cached --others --exclude-standard | sort -z -u |
        (cd "$root" && while IFS= read -r -d '' file; do
            if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
        done) >"$files.new"
    [ -s "$files.new" ] || die "git lists no source files in $root"
    if [ -e "$files" ]; then
        comm -z -23 "$files" "$files.new" | (cd "$target" && xargs -0 -r rm -f --)
    fi
    tar -C "$root" --null --no-recursion --files-from="$files.new" -cf - |
        tar -C "$target" --no-same-owner -xf -
    mv "$files.new" "$files"
}

# --- the build ---

# Build products of another user, say of root, cannot be written again: drop those in folders of
# ours, and say what to do about the others.
check_ownership() {
    mkdir -p "$root/build" 2>/dev/null || die "cannot write in $root"
    local file found
    found=$(find "$root/src" "$root/vector_ext.so" \( -name '*.o' -o -name '*.so' \) \
        ! -writable 2>/dev/null || true)
    for file in $found; do
        rm -f "$file" 2>/dev/null ||
            die "$file was built by another user: run 'make clean' as that user"
    done
    for file in "$root/build" "$root"/build/*; do
        case $file in */debian*) continue ;; esac
        [ ! -e "$file" ] || [ -w "$file" ] || rm -f "$file" 2>/dev/null ||
            die "$file belongs to another user: run 'sudo chown -R $(id -un) $file'"
    done
}

build_module() {
    check_ownership
    make -s -C "$root" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" all >"$root/build/make.log" 2>&1 ||
        { tail -n 40 "$root/build/make.log" >&2; die "the build failed: build/make.log"; }
}

# Builds vector-bulk, by the Makefile's rule.
build_client() {
    make -s -C "$root" PG_CONFIG="$PG_CONFIG" client >"$root/build/client.log" 2>&1 ||
        { tail -n 40 "$root/build/client.log" >&2; die "building vector-bulk failed: build/client.log"; }
}

is_installed() {
    cmp -s "$root/vector_ext.so" "$("$PG_CONFIG" --pkglibdir)/vector_ext.so" || return
    cmp -s "$root/build/client/client/cpp/vector-bulk" "$("$PG_CONFIG" --bindir)/vector-bulk" || return
    local file target
    target=$("$PG_CONFIG" --sharedir)/extension
    for file in "$root/vector_ext.control" "$root"/sql/install/*.sql; do
        cmp -s "$file" "$target/$(basename "$file")" || return
    done
    has_pgvector_package || {
        [ "$(readlink "$("$PG_CONFIG" --pkglibdir)/vector.so")" = vector_ext.so ] || return
        for file in "$root"/vector{,_tools}.control "$root"/build/install/*.sql; do
            cmp -s "$file" "$target/$(basename "$file")" || return
        done
        target=$("$PG_CONFIG" --includedir-server)/extension/vector
        for file in "$root"/include/vector/*.h; do
            cmp -s "$file" "$target/$(basename "$file")" || return
        done
    }
}

# Whether pgvector's files are a package's, so that ours cannot be there in their place.
has_pgvector_package() {
    dpkg -S "$("$PG_CONFIG" --pkglibdir)/vector.so" >/dev/null 2>&1
}

# Builds module and client, and installs them into the server unless the same are there already.
build_and_install() {
    install_missing $(packages_for build) $(packages_for client)
    find_server
    say "building for $("$PG_CONFIG" --version)"
    build_module
    build_client
    is_installed || install_module || die "installing failed: build/make.log"
}

install_module() {
    local as=() targets=(install install-client)
    has_pgvector_package || targets+=(install-vector)
    if ! [ -w "$("$PG_CONFIG" --pkglibdir)" ] || ! [ -w "$("$PG_CONFIG" --sharedir)/extension" ] ||
        ! [ -w "$("$PG_CONFIG" --bindir)" ]; then
        need_root "installing the module"
        as=(as_root)
    fi
    "${as[@]}" make -s -C "$root" PG_CONFIG="$PG_CONFIG" "${targets[@]}" \
        >>"$root/build/make.log" 2>&1
}

# --- a private server ---

server_user=$(id -un)
private=
server_running=
soak_pid=
teller_pid=    # what tells of progress beside the jobs of a suite

# The server refuses to run as root; then it runs as the user that the package made.
choose_server_user() {
    [ "$(id -u)" = 0 ] || return 0
    server_user=postgres
    id "$server_user" >/dev/null 2>&1 ||
        die "the server cannot run as root, and there is no user '$server_user'"
}

# Runs a command as the server's user, in the private folder, with the server's programs first.
as_server() {
    local command=(env -C "$private" HOME="$private" PATH="$pg_bin:/usr/local/bin:/usr/bin:/bin" "$@")
    if [ "$server_user" = "$(id -un)" ]; then
        "${command[@]}"
    else
        runuser -u "$server_user" -- "${command[@]}"
    fi
}

# Makes the private folder: in build/, or in /tmp when the server's user cannot reach build/ or the
# path is too long for a socket.
make_private_folder() {
    choose_server_user
    clean_up_at_end
    private=$(mktemp -d "$root/build/private.XXXXXX")
    own_private_folder
    if [ ${#private} -gt 70 ] || ! as_server test -w "$private" 2>/dev/null; then
        local tried=$private
        rm -rf "$private"
        private=$(mktemp -d /tmp/vector_ext.XXXXXX)
        own_private_folder
        say "the server's files go to $private: $server_user cannot use $tried"
    fi
}

own_private_folder() {
    chmod 755 "$private"
    [ "$server_user" = "$(id -un)" ] || chown "$server_user" "$private"
}

clean_up_at_end() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

clean_up() {
    local status=$?
    trap - EXIT
    # A signal that comes to the whole group comes twice.
    trap '' INT TERM
    stop_soak
    kill $teller_pid $(jobs -p) 2>/dev/null || true
    stop_server || status=1
    [ -z "$private" ] || rm -rf "$private"
    exit "$status"
}

# Starts a new private cluster that listens on a socket in its own folder only. Arguments are lines
# of its configuration.
start_server() {
    [ -n "$private" ] || make_private_folder
    as_server initdb -D "$private/data" -U postgres -E UTF8 --no-locale --auth=trust \
        --no-sync >"$root/build/initdb.log" 2>&1 ||
        { cat "$root/build/initdb.log" >&2; die "initdb failed"; }
    as_server mkdir -m 700 "$private/socket"
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$private/socket'"
        echo "port = 5432"
        echo "fsync = off"
        printf '%s\n' "$@"
    } >>"$private/data/postgresql.conf"
    as_server pg_ctl -D "$private/data" -l "$private/server.log" -w -t 60 start >/dev/null ||
        { tail -n 20 "$private/server.log" >&2; die "the server did not start"; }
    server_running=1
}

stop_server() {
    [ -n "$server_running" ] || return 0
    server_running=
    as_server pg_ctl -D "$private/data" -m fast -w -t 60 stop >/dev/null ||
        as_server pg_ctl -D "$private/data" -m immediate -w -t 30 stop >/dev/null
}

private_psql() {
    "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$private/socket" -p 5432 -U postgres "$@"
}

# --- the machine that looks for lies ---

# Puts its text where the server's user can read it.
copy_soak() {
    as_server mkdir -p "$private/soak"
    tar -C test/soak --exclude=__pycache__ -cf - . | as_server tar -xf - -C "$private/soak"
}

# Runs it as the server's user, for `soak_seconds` at most if that is set. By setpriv, since runuser
# leaves what it runs no time to end its servers.
run_soak() {
    local status=0 command=()
    [ "$server_user" = "$(id -un)" ] || command+=(setpriv --reuid="$server_user"
        --regid="$(id -gn "$server_user")" --init-groups)
    [ -z "${soak_seconds:-}" ] || command+=(timeout "$soak_seconds")
    "${command[@]}" env -C "$private" HOME="$private" PATH="$pg_bin:/usr/local/bin:/usr/bin:/bin" \
        /usr/bin/python3 "$private/soak" "$private" "$pg_bin" "$@" &
    soak_pid=$!
    wait "$soak_pid" || status=$?
    soak_pid=
    return "$status"
}

# Ends it before its time: it stops its own servers.
stop_soak() {
    [ -n "$soak_pid" ] || return 0
    kill "$soak_pid" 2>/dev/null || true
    wait "$soak_pid" || true
    save_soak_findings
}

# Keeps what it found.
save_soak_findings() {
    [ -n "$(ls -A "$private/findings" 2>/dev/null)" ] || return 0
    mkdir -p "$root/build/soak"
    cp "$private/findings"/* "$root/build/soak/"
    say "findings are in build/soak"
}
