"""Grades, sentiments and crisis types: the closed vocabularies everything else speaks in."""

from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """Warning level of an incident, ordered so that ``max()`` is the worse one.

    ``NONE`` is the absence of a reason to warn; it is never shown as a grade of an incident.
    """

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def word(self) -> str:
        """The name used in configuration, JSON and the catalogues: ``blue`` … ``red``."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "Grade":
        """Parse a grade name; raises ``ValueError`` naming the permitted words."""
        try:
            return cls[word.strip().upper()]
        except KeyError:
            raise ValueError(f"{word!r} is not a grade: use blue, yellow, orange or red") from None


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class CrisisType(StrEnum):
    WITHDRAWAL_FAILURE = "withdrawal_failure"
    OUTAGE = "outage"
    DATA_LEAK = "data_leak"
    COMPLAINT_SURGE = "complaint_surge"
    FRAUD_ACCUSATION = "fraud_accusation"
    REGULATORY_ACTION = "regulatory_action"
    EXECUTIVE_MISCONDUCT = "executive_misconduct"
    PRODUCT_SAFETY = "product_safety"
    LABOUR_DISPUTE = "labour_dispute"
    RUMOUR = "rumour"
    FUNDING_TROUBLE = "funding_trouble"
    COMPETITOR_ATTACK = "competitor_attack"
    PRICE_DISPUTE = "price_dispute"
    PRIVACY_ACCUSATION = "privacy_accusation"
    EMPLOYEE_MISCONDUCT = "employee_misconduct"
    POLICY_TIGHTENING = "policy_tightening"
    KOL_INCIDENT = "kol_incident"
    OTHER = "other"


class Carrier(IntEnum):
    """Who carried a post, ordered by how far such a carrier usually takes it."""

    ORDINARY = 0
    KOL = 1
    TRADE_MEDIA = 2
    NATIONAL_MEDIA = 3
    HOT_LIST = 4

    @property
    def word(self) -> str:
        return self.name.lower()


# Crisis types that tell one story belong to one incident. A generic type (complaints, a rumour, a regulator's
# remark, a well-known account's video) usually follows another crisis, so it joins whichever incident of the subject is
# open and opens one of its own ("general") only when there is none.
FAMILY_OF_TYPE: dict[CrisisType, str] = {
    CrisisType.WITHDRAWAL_FAILURE: "funds",
    CrisisType.FUNDING_TROUBLE: "funds",
    CrisisType.FRAUD_ACCUSATION: "funds",
    CrisisType.OUTAGE: "service",
    CrisisType.DATA_LEAK: "data",
    CrisisType.PRODUCT_SAFETY: "product",
    CrisisType.EXECUTIVE_MISCONDUCT: "people",
    CrisisType.LABOUR_DISPUTE: "labour",
    CrisisType.COMPETITOR_ATTACK: "competition",
    CrisisType.PRICE_DISPUTE: "price",
    CrisisType.PRIVACY_ACCUSATION: "data",
    CrisisType.EMPLOYEE_MISCONDUCT: "people",
    CrisisType.COMPLAINT_SURGE: "general",
    CrisisType.RUMOUR: "general",
    CrisisType.REGULATORY_ACTION: "general",
    CrisisType.POLICY_TIGHTENING: "general",
    CrisisType.KOL_INCIDENT: "general",
    CrisisType.OTHER: "general",
}
GENERAL_FAMILY = "general"
