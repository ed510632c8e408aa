from django.db import migrations

FIRST = {
    "ru": "$portal: логин $username, пароль $password",
    "en": "$portal: user name $username, password $password",
}


def write_first_templates(apps, schema_editor):
    template = apps.get_model("messaging", "MessageTemplate")
    for language, text in FIRST.items():
        template.objects.get_or_create(kind="credentials", language=language, defaults={"text": text})


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [migrations.RunPython(write_first_templates, migrations.RunPython.noop)]
