import re

import pytest

from monitor.notify.texts import UNKNOWN, RuleText, text_for, texts
from monitor.rulebook import rule_ids

from .rules import RULES

# What would be an order, or a promise that the monitor acts by itself.
ORDERS = re.compile(
    r"\b(must|shall|immediately|do not|don't|discontinue|administer|prescribe|stop the|give the)\b", re.IGNORECASE
)
PATIENT_LIKE = re.compile(r"\b[A-Z]{2,3}-\d{3}\b")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_words(rule: str) -> None:
    assert rule in texts(), f"write a text for {rule} in monitor/notify/texts.yaml"


def test_every_rule_that_the_core_declares_has_its_words() -> None:
    assert rule_ids() <= texts().keys()


def test_no_text_is_there_for_a_rule_that_is_not() -> None:
    assert texts().keys() == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_monitor_gives_no_orders(rule: str) -> None:
    text = text_for(rule)
    for sentence in (text.means, text.protocol, *text.next):
        assert not ORDERS.search(sentence), sentence
        assert sentence.endswith((".", '."', "?")), sentence


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.startswith("stop.")])
def test_a_stop_is_left_to_a_physician(rule: str) -> None:
    text = text_for(rule)
    assert any("A physician decides" in step for step in text.next)
    assert text.protocol.startswith("The protocol says")


@pytest.mark.parametrize("rule", RULES)
def test_a_text_fits_a_lock_screen_and_a_tired_reader(rule: str) -> None:
    text = text_for(rule)
    assert len(text.title) <= 60
    assert not text.title.endswith(".")
    assert len(text.next) <= 4
    longest = max(len(sentence.split()) for part in (text.means, *text.next) for sentence in re.split(r"[.;:] ", part))
    assert longest <= 32
    assert not PATIENT_LIKE.search(repr(text))


def test_a_rule_without_words_still_gets_a_notice() -> None:
    assert text_for("future.rule") is UNKNOWN
    assert isinstance(UNKNOWN, RuleText)
