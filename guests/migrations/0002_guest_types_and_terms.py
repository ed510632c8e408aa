import datetime
import django.core.validators
import django.db.models.deletion
import guests.models.guest
from django.db import migrations, models


def make_first_type(apps, schema_editor):
    apps.get_model("guests", "GuestType").objects.get_or_create(name="Guest")


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('guests', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='guest',
            name='anonymised_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='anonymised'),
        ),
        migrations.AddField(
            model_name='guest',
            name='banned',
            field=models.BooleanField(default=False, editable=False, verbose_name='banned'),
        ),
        migrations.AddField(
            model_name='guest',
            name='banned_why',
            field=models.CharField(blank=True, editable=False, max_length=255, verbose_name='banned because'),
        ),
        migrations.AddField(
            model_name='guest',
            name='first_sign_in',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='first sign-in'),
        ),
        migrations.AddField(
            model_name='guest',
            name='verified_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When the guest proved to have the phone.', null=True, verbose_name='phone proven'),
        ),
        migrations.AlterField(
            model_name='guest',
            name='username',
            field=models.CharField(max_length=255, unique=True, validators=[django.core.validators.RegexValidator('\\A[a-zA-Z0-9\\-_.@/\\\\]+\\Z', 'Use Latin letters, digits and the characters - _ . @ / \\ only.'), django.core.validators.RegexValidator('(\\A|/)\\.{1,2}(/|\\Z)|/\\Z|/(password|extend|suspend|reinstate|ban|unban|anonymise|reset_password)\\Z', 'A user name cannot end in / or in /password and other calls of the API, nor have . or .. between slashes.', inverse_match=True)], verbose_name='user name'),
        ),
        migrations.AlterField(
            model_name='guest',
            name='valid_until',
            field=models.DateTimeField(db_index=True, default=guests.models.guest.usual_end, verbose_name='valid until'),
        ),
        migrations.CreateModel(
            name='GuestType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('enabled', models.BooleanField(default=True, help_text='Off: nobody is given this type any more.', verbose_name='enabled')),
                ('default_stay', models.DurationField(default=datetime.timedelta(days=1), validators=[django.core.validators.MinValueValidator(datetime.timedelta(seconds=60))], verbose_name='usual stay')),
                ('longest_stay', models.DurationField(default=datetime.timedelta(days=31), validators=[django.core.validators.MinValueValidator(datetime.timedelta(seconds=60))], verbose_name='longest stay')),
                ('counts_from', models.CharField(choices=[('beginning', 'the beginning of the stay'), ('first_sign_in', 'the first sign-in')], default='beginning', max_length=20, verbose_name='stay counts from')),
                ('days', models.JSONField(blank=True, default=list, help_text='None: every day.', verbose_name='days')),
                ('hours_from', models.TimeField(blank=True, null=True, verbose_name='from')),
                ('hours_until', models.TimeField(blank=True, help_text='Earlier than the beginning: on the next day.', null=True, verbose_name='until')),
                ('devices', models.PositiveSmallIntegerField(blank=True, help_text='Empty: any number.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='devices at most')),
                ('password_style', models.CharField(choices=[('words', 'words that can be read aloud'), ('digits', 'digits'), ('mixed', 'letters and digits')], default='words', max_length=10, verbose_name='passwords made of')),
                ('password_length', models.PositiveSmallIntegerField(default=3, verbose_name='how many of them')),
                ('notice_hours', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='hours of notice before the end')),
                ('needs_approval', models.BooleanField(default=False, verbose_name='a sponsor must approve')),
                ('roles', models.ManyToManyField(blank=True, help_text='None: everybody who makes guests.', to='auth.group', verbose_name='roles that may give it')),
            ],
            options={
                'verbose_name': 'guest type',
                'verbose_name_plural': 'guest types',
                'ordering': ('name',),
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='guest',
            name='guest_type',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='guests', to='guests.guesttype', verbose_name='guest type'),
        ),
        migrations.CreateModel(
            name='Terms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('ru', 'Русский'), ('en', 'English')], max_length=5, verbose_name='language')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('text', models.TextField(max_length=100000, verbose_name='text')),
                ('digest', models.CharField(max_length=64, verbose_name='SHA-256 of the text')),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published')),
            ],
            options={
                'verbose_name': 'terms',
                'verbose_name_plural': 'terms',
                'ordering': ('language', '-version'),
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('language', 'version'), name='terms_version_is_given_once'), models.UniqueConstraint(condition=models.Q(('published_at__isnull', True)), fields=('language',), name='terms_have_one_draft')],
            },
        ),
        migrations.AddConstraint(
            model_name='guesttype',
            constraint=models.CheckConstraint(condition=models.Q(('longest_stay__gte', models.F('default_stay'))), name='guest_type_longest_is_not_shorter'),
        ),
        migrations.AddConstraint(
            model_name='guesttype',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hours_from__isnull', True), ('hours_until__isnull', True)), models.Q(('hours_from__isnull', False), ('hours_until__isnull', False)), _connector='OR'), name='guest_type_has_both_hours_or_none'),
        ),
        migrations.RunPython(make_first_type, migrations.RunPython.noop),
    ]
