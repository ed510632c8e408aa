"""Fewer indexes to write into, and none that tempts PostgreSQL to sort the whole queue for each claim.

Taking an index away is a matter of its name on both engines; Django would copy the whole table on SQLite for each.
"""

import django.db.models.deletion
from django.db import migrations, models

#: What Django named them on both engines; those for LIKE are on PostgreSQL only.
REDUNDANT = (
    "messaging_attempt_gateway_id_6f420d22",
    "messaging_attempt_message_id_30133d40",
    "messaging_deliveryevent_gateway_id_dcd87b3e",
    "messaging_message_phone_de0eb1ac",
    "messaging_message_phone_de0eb1ac_like",
    "messaging_message_recipient_label_713a7bee",
    "messaging_message_recipient_label_713a7bee_like",
    "messaging_message_reference_b6284bf7",
    "messaging_message_reference_b6284bf7_like",
    "messaging_message_wanted_id_3bbabe6f",
)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0008_caller_reference")]

    operations = [
        migrations.RemoveIndex(model_name="message", name="message_overdue"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("lease_until__isnull", True)),
                fields=["valid_until"],
                name="message_overdue",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["phone"], name="message_by_phone", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["recipient_label"], name="message_by_label", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["reference"], name="message_by_reference")
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f'DROP INDEX IF EXISTS "{name}"', migrations.RunSQL.noop) for name in REDUNDANT
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="gateway",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="gateways.gateway",
                        verbose_name="gateway",
                    ),
                ),
                migrations.AlterField(
                    model_name="attempt",
                    name="message",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="messaging.message",
                        verbose_name="message",
                    ),
                ),
                migrations.AlterField(
                    model_name="deliveryevent",
                    name="gateway",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="gateways.gateway",
                        verbose_name="gateway",
                    ),
                ),
                migrations.AlterField(
                    model_name="message",
                    name="phone",
                    field=models.CharField(max_length=20, verbose_name="phone"),
                ),
                migrations.AlterField(
                    model_name="message",
                    name="recipient_label",
                    field=models.CharField(blank=True, max_length=255, verbose_name="recipient"),
                ),
                migrations.AlterField(
                    model_name="message",
                    name="reference",
                    field=models.CharField(blank=True, max_length=200, verbose_name="reference"),
                ),
                migrations.AlterField(
                    model_name="message",
                    name="wanted",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="gateways.gateway",
                        verbose_name="gateway asked for",
                    ),
                ),
            ],
        ),
    ]
