"""Who is in which workspace, and who has left."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from team.models import Member, Membership

members = Membership.objects.select_related("workspace", "member")
for one in members.filter(workspace__is_active=True).order_by("workspace__name", "member__name"):
    member = one.member
    print(f"{one.workspace.name}: {member.name} <{member.email}>, {one.role}, {member.credits} credits")

for member in Member.objects.filter(is_active=False).order_by("clerk_id"):
    print(f"left: {member.clerk_id}, since {member.joined_at:%Y-%m-%d}, {member.note_set.count()} note")
