"""The end of a stay of which webhooks were told. Of those that are over by now nobody is told."""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def note_what_is_over(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    over = apps.get_model("guests", "Guest").objects.filter(valid_until__lte=timezone.now())
    over.update(told_end=models.F("valid_until"))


class Migration(migrations.Migration):
    dependencies = [
        ("guests", "0007_sponsor_approval"),
        ("messaging", "0011_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="guest",
            name="told_end",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="end that was told"),
        ),
        migrations.RunPython(note_what_is_over, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="guest",
            index=models.Index(
                condition=models.Q(
                    ("told_end", None),
                    models.Q(("told_end", models.F("valid_until")), _negated=True),
                    _connector="OR",
                ),
                fields=["valid_until"],
                name="guest_end_to_tell",
            ),
        ),
    ]
