"""People outside are found by the words that colleagues use for them."""

from unittest.mock import Mock

import pytest

from bot.config_linkage import ContactConfig
from bot.incidents.notices import Notices
from bot.response.contacts import Contacts

PEOPLE = [
    ContactConfig(id="chen", name="陈记者", kind="media", organisation="财经日报", topics=["支付"]),
    ContactConfig(id="branch", name="值班室", kind="authority", organisation="人民银行分支机构"),
]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("媒体", ["chen"]),
        ("media", ["chen"]),
        ("Authorities", ["branch"]),
        ("监管", ["branch"]),
        ("财经", ["chen"]),
        ("支付", ["chen"]),
        ("", ["chen", "branch"]),
        ("律师", []),
    ],
)
def test_a_contact_is_found_by_kind_in_either_language_by_house_and_by_topic(word: str, found: list[str]) -> None:
    contacts = Contacts(Mock(contacts=PEOPLE), Mock(spec=Notices))
    assert [contact.id for contact in contacts.find(word)] == found
