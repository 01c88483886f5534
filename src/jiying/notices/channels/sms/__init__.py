"""Text messages, by an HTTP gateway of `notices.yaml`."""

from jiying.notices.channels import register
from jiying.notices.gateway import repeatable, send

register("sms", send, repeatable=repeatable)
