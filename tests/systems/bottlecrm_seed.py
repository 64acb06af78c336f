"""Run inside BottleCRM's own environment: a company, its administrator, and two keys, printed one after the other."""

import django

django.setup()

from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402
from django.db import connection  # noqa: E402

org = Org.objects.create(name="Lantern")
with connection.cursor() as cursor:
    cursor.execute("select set_config('app.current_org', %s, false)", [str(org.id)])
user = User.objects.create_superuser(email="mayak@example.com", password="mayak-of-the-tests")
profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_organization_admin=True, is_active=True)
print(PersonalAccessToken.generate(profile, "mayak")[0])
print(PersonalAccessToken.generate(profile, "narrow", scopes=["contacts:read"])[0])
