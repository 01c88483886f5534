"""The town of an order stands among its words: who sees one town has the index asked for it alone."""

from django.db import migrations

ADD = """
    UPDATE orders_orderwords SET words = ' ·t' || (
        SELECT code FROM orders_order JOIN estates_division ON estates_division.id = town_id
        WHERE orders_order.id = order_id
    ) || words
    WHERE order_id IN (SELECT id FROM orders_order WHERE town_id IS NOT NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_withdrawal"), ("estates", "0004_plantroom")]

    operations = [migrations.RunSQL(ADD, migrations.RunSQL.noop)]
