"""The roles a new portal begins with. The names are frozen here; `permissions.ROLES` may move on."""

from django.db import migrations

READING = ("SMS_GATEWAY_READ", "USERS_READ", "MESSAGES_READ", "SYSTEM_READ", "AUDITING_READ")
SENDING = ("SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE")
CHANGING = (
    "SMS_GATEWAY_CREATE", "SMS_GATEWAY_UPDATE", "SMS_GATEWAY_DELETE",
    "USERS_CREATE", "USERS_UPDATE", "USERS_DELETE",
    "SYSTEM_CREATE", "SYSTEM_UPDATE", "SYSTEM_DELETE",
)
ROLES = {
    "Administrator": {*READING, *SENDING, *CHANGING},
    "SMS operator": {*SENDING},
    "Auditor": {*READING},
}


def label(name):
    group, _, verb = name.rpartition("_")
    return f"{group.replace('_', ' ').title()} - {verb.title()}"


def make_roles(apps, schema_editor):
    # Django makes permissions after all migrations; the roles need theirs now, and Django keeps what it finds.
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="portal", model="user"
    )
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        for name in sorted(names):
            permission, _ = Permission.objects.get_or_create(
                content_type=content_type, codename=name, defaults={"name": label(name)}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
