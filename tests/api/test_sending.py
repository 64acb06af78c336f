"""Which sender carries the codes: named in the settings, files for the demo alone; what cannot be is refused."""

import shutil
from pathlib import Path

import pytest

from agent.pack import Pack, load_pack
from agent.terms import OneTimeCodes
from api.sending import sender
from api.settings import ROOT, BadSetting, Settings
from tools.sender.outbox import OutboxSender
from tools.sender.smtp import SmtpSender

MAIL = OneTimeCodes()


@pytest.fixture
def company(tmp_path: Path) -> Pack:
    """A company that began as a copy of the demo."""
    for name in ("company.toml", "policy.toml"):
        shutil.copy(ROOT / "demo" / name, tmp_path / name)
    return load_pack(tmp_path)


def test_the_demo_writes_to_files_by_itself() -> None:
    assert isinstance(sender(Settings(), load_pack(ROOT / "demo"), MAIL), OutboxSender)


def test_another_company_names_what_carries_its_codes(company: Pack) -> None:
    with pytest.raises(BadSetting) as refused:
        sender(Settings(), company, MAIL)
    assert "MAYAK_SENDER" in refused.value.remedy
    assert isinstance(sender(Settings(sender="outbox"), company, MAIL), OutboxSender)
    assert isinstance(sender(Settings(sender="smtps://me:x@mail.example"), company, MAIL), SmtpSender)


@pytest.mark.parametrize("value", ["mail.example", "http://me:hidden@mail.example", "smtp://"])
def test_a_sender_that_cannot_be_read_is_refused_and_not_repeated(company: Pack, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        sender(Settings(sender=value), company, MAIL)
    assert value not in f"{refused.value} {refused.value.remedy}"
    assert "hidden" not in f"{refused.value} {refused.value.remedy}"


def test_a_mail_server_cannot_reach_a_phone(company: Pack) -> None:
    with pytest.raises(BadSetting, match="go by phone"):
        sender(Settings(sender="smtp://mail.example"), company, OneTimeCodes(by="phone"))
