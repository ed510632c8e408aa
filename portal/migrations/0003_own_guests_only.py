"""The right to see none but one's own guests, and the roles that go with guests. The names are frozen here."""

from django.db import migrations

RIGHTS = (
    ("SMS_GATEWAY_READ", "Sms Gateway - Read"),
    ("SMS_GATEWAY_CREATE", "Sms Gateway - Create"),
    ("SMS_GATEWAY_UPDATE", "Sms Gateway - Update"),
    ("SMS_GATEWAY_DELETE", "Sms Gateway - Delete"),
    ("SMS_SEND_METHOD_AVAILABLE", "Sms Send Method - Available"),
    ("USERS_READ", "Users - Read"),
    ("USERS_READ_SPONSORED", "Users - Read Sponsored"),
    ("USERS_CREATE", "Users - Create"),
    ("USERS_UPDATE", "Users - Update"),
    ("USERS_DELETE", "Users - Delete"),
    ("MESSAGES_READ", "Messages - Read"),
    ("SYSTEM_READ", "System - Read"),
    ("SYSTEM_CREATE", "System - Create"),
    ("SYSTEM_UPDATE", "System - Update"),
    ("SYSTEM_DELETE", "System - Delete"),
    ("AUDITING_READ", "Auditing - Read"),
)
SENDING = ("SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE")
ROLES = {
    "Reception": ("USERS_READ", "USERS_CREATE", "USERS_UPDATE", *SENDING),
    "Sponsor": ("USERS_READ_SPONSORED", "USERS_CREATE", "USERS_UPDATE", *SENDING),
}


def make_roles(apps, schema_editor):
    # Django makes permissions after all migrations; the roles need theirs now, and Django keeps what it finds.
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="portal", model="user"
    )
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    own, _ = Permission.objects.get_or_create(
        content_type=content_type, codename="USERS_READ_SPONSORED", defaults={"name": "Users - Read Sponsored"}
    )
    for administrators in Group.objects.filter(name="Administrator"):
        administrators.permissions.add(own)
    for role, names in ROLES.items():
        group, made = Group.objects.get_or_create(name=role)
        if made:  # a role of that name that was there already is the administrator's
            group.permissions.set(Permission.objects.filter(content_type=content_type, codename__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0002_roles"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "default_permissions": (),
                "permissions": RIGHTS,
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
        migrations.RunPython(make_roles, migrations.RunPython.noop),
    ]
