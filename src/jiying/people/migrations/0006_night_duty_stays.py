import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0005_audit_repack'),
    ]

    operations = [
        migrations.AlterField(
            model_name='nightduty',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='night_duties', to=settings.AUTH_USER_MODEL),
        ),
    ]
