# Shared by bench/peer, bench/build and others: a private server that has vector_ext and pgvector, and a
# Python program beside it. Sourced by bash scripts of this folder, after scripts/lib.sh.

# Runs bench/PROGRAM.py with the other arguments on a new private server; without pgvector where
# --alone is among them.
run_beside_server() {
    local program=$1
    shift
    case " $* " in
        *" -h "* | *" --help "*) exec /usr/bin/python3 "bench/$program.py" "$@" ;;
    esac
    local peer=("postgresql-$(server_version)-pgvector")
    case " $* " in
        *" --alone "*) peer=() ;;
        *) [ "$(debian_release)" != debian12 ] ||
            die "pgvector's package has an index from Debian 13 on: scripts/in-debian trixie bench/$program $*" ;;
    esac

    install_missing $(packages_for build) python3 python3-numpy libopenblas0-pthread "${peer[@]}"
    build_and_install
    mkdir -p build/bench

    # 6 GB, or a quarter of a smaller machine.
    local buffers_mb cores
    buffers_mb=$(awk '/^MemTotal:/ { mb = int($2 / 4096); print mb < 6144 ? mb : 6144 }' /proc/meminfo)
    cores=$(nproc)
    make_private_folder
    say "starting a private server ($("$pg_bin/postgres" --version), user $server_user)"
    start_server "shared_buffers = '${buffers_mb}MB'" "max_wal_size = '64GB'" \
        "checkpoint_timeout = '1d'" "synchronous_commit = off" "jit = off" "autovacuum = off" \
        "max_parallel_workers = $cores" "max_parallel_workers_per_gather = 0" \
        "max_parallel_maintenance_workers = 0" "log_min_messages = error"
    PATH="$pg_bin:$PATH" PGHOST="$private/socket" PGPORT=5432 PGUSER=postgres \
        /usr/bin/python3 "bench/$program.py" "$@"
}
