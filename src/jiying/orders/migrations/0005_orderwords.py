"""The index of what orders are found by: a table, and beside it each database's own index."""

import django.db.models.deletion
from django.db import migrations, models

SQLITE = (
    # `detail=none`: only which rows have a word; `ascii`: what is not ASCII is a letter, so our words stay whole;
    # `prefix=1`: questions of one character.
    """
    CREATE VIRTUAL TABLE orders_orderwords_fts USING fts5(
        words, content='orders_orderwords', content_rowid='id', tokenize='ascii', detail='none', columnsize=0,
        prefix='1'
    )
    """,
    """
    CREATE TRIGGER orders_orderwords_insert AFTER INSERT ON orders_orderwords BEGIN
        INSERT INTO orders_orderwords_fts(rowid, words) VALUES (new.id, new.words);
    END
    """,
    """
    CREATE TRIGGER orders_orderwords_delete AFTER DELETE ON orders_orderwords BEGIN
        INSERT INTO orders_orderwords_fts(orders_orderwords_fts, rowid, words) VALUES ('delete', old.id, old.words);
    END
    """,
    """
    CREATE TRIGGER orders_orderwords_update AFTER UPDATE ON orders_orderwords BEGIN
        INSERT INTO orders_orderwords_fts(orders_orderwords_fts, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO orders_orderwords_fts(rowid, words) VALUES (new.id, new.words);
    END
    """,
)
POSTGRESQL = (
    """
    ALTER TABLE orders_orderwords ADD COLUMN tokens tsvector
        GENERATED ALWAYS AS (array_to_tsvector(string_to_array(btrim(words), ' '))) STORED
    """,
    "CREATE INDEX orders_orderwords_tokens ON orders_orderwords USING gin (tokens) WITH (fastupdate = off)",
)


def make(apps, schema_editor):
    for line in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(line)


def unmake(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE orders_orderwords_fts")


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_order_queue")]

    operations = [
        migrations.CreateModel(
            name="OrderWords",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("district", models.CharField(max_length=20)),
                ("words", models.TextField()),
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="words", to="orders.order"
                    ),
                ),
            ],
        ),
        migrations.RunPython(make, unmake),
    ]
