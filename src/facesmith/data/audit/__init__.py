"""Who is in a dataset and who is not, in what state the pictures are, and what that does to a generator."""

from facesmith.data.audit.advice import Finding
from facesmith.data.audit.audit import audit, audit_images
from facesmith.data.audit.contents import Audit
from facesmith.data.audit.drift import drift
from facesmith.data.audit.findings import findings
from facesmith.data.audit.page import page

__all__ = ["Audit", "Finding", "audit", "audit_images", "drift", "findings", "page"]
