"""Addresses of webhooks are encrypted, as their secrets are: what is behind the host may let in whoever knows it."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import portal.encryption
from portal.encryption import Locked


def encrypt(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    webhooks = apps.get_model("messaging", "Webhook").objects
    for key, url in webhooks.values_list("pk", "url"):
        if isinstance(url, Locked):
            # It was never encrypted: what is taken for a token is the address.
            webhooks.filter(pk=key).update(url=url.token)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0014_delivery_reports")]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="url",
            field=portal.encryption.EncryptedTextField(verbose_name="address"),
        ),
        migrations.RunPython(encrypt),
    ]
