from django.db import models


class Member(models.Model):
    clerk_id = models.CharField(max_length=64, unique=True)
    email = models.EmailField(unique=True, null=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    credits = models.IntegerField(db_default=10)
    joined_at = models.DateTimeField(auto_now_add=True)


class Workspace(models.Model):
    clerk_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    role = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "member"], name="one_membership_each")
        ]


class Note(models.Model):
    """Only the application writes notes."""

    author = models.ForeignKey(Member, on_delete=models.CASCADE)
    text = models.TextField()
