from django.db import migrations, models

#: Short: with the company's name and the line that browsers fill the code in from, Cyrillic still fits one segment.
FIRST = {
    "ru": "$portal: ваш код $code",
    "en": "$portal: your code is $code",
}


def write_first_templates(apps, schema_editor):
    template = apps.get_model("messaging", "MessageTemplate")
    for language, text in FIRST.items():
        template.objects.get_or_create(kind="code", language=language, defaults={"text": text})


class Migration(migrations.Migration):
    dependencies = [("messaging", "0006_tallies")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="door",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "not on record"),
                    ("api", "the API"),
                    ("pages", "the admin"),
                    ("write", "the page “Write”"),
                    ("test", "a test of its gateway"),
                    ("guests", "self-registration"),
                ],
                default="",
                max_length=10,
                verbose_name="came by",
            ),
        ),
        migrations.RunPython(write_first_templates, migrations.RunPython.noop),
    ]
