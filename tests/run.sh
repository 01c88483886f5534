#!/bin/sh
# All tests: on SQLite, then on PostgreSQL where there is one.
set -eu
echo "== tests on SQLite"
python -m pytest -n 2 --dist loadgroup "$@"
URL="${JIYING_TEST_POSTGRES_URL:-postgresql://postgres@127.0.0.1:5432/postgres}"
if python -c "import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3).close()" "$URL" 2>/dev/null; then
    # Once is enough for what starts processes of its own, which serve SQLite, and for what touches no database.
    echo "== tests on PostgreSQL"
    JIYING_TEST_ONLY_DATABASE=1 JIYING_DATABASE_URL="$URL" JIYING_TEST_POSTGRES_URL="$URL" python -m pytest -n 2 --dist loadgroup \
        -m "not needs_browser" --ignore-glob="tests/test_platform_*" "$@"
else
    case ",${JIYING_TEST_REQUIRE:-}," in
        *,postgres,*) echo "PostgreSQL is required (JIYING_TEST_REQUIRE) and does not answer at JIYING_TEST_POSTGRES_URL"; exit 1 ;;
    esac
    echo "== PostgreSQL: skipped, none answers. Start one, or set JIYING_TEST_POSTGRES_URL=postgresql://…"
fi
