"""Messages: who wrote what to whom, what is attached, and that nothing attached is passed over."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest

from casemate.cells.extract import Awaiting, Request, bounds, extract
from casemate.cells.serve import CannotRead
from tests.cells import made
from tests.cells.made import message

PEOPLE = "From: anna@example.org\nTo: bela@example.org\nDate: Wed, 04 Mar 2026 10:00:00 +0000"
HEAD = b"From: a@x\nSubject: s\nMIME-Version: 1.0\n"


def read(data, **options):
    return extract(Request("a.eml", data, **options))


def told(data, part=0):
    found = read(data).parts[part]
    return [(paragraph.kind, paragraph.text) for page in found.pages for paragraph in page]


def why(data):
    with pytest.raises(CannotRead) as failed:
        read(data)
    return str(failed.value)


def test_a_message():
    data = message("SECRET\n\n(S) One\ntwo.\n\nSECRET\n", subject="(S) Movements in été")
    assert told(data) == [
        ("heading", "(S) Movements in été"),
        ("paragraph", PEOPLE),
        ("paragraph", "SECRET"),
        ("paragraph", "(S) One\ntwo."),
        ("paragraph", "SECRET"),
    ]
    found = read(data)
    assert (found.media, found.parts[0].title, found.parts[0].key) == (
        "message/rfc822",
        "(S) Movements in été",
        "message",
    )


def test_the_edges_of_a_message_speak_for_what_is_attached():
    found = read(message("SECRET//NOFORN\n\n(TS) portion\n\n" + "text\n\n" * 9 + "the end", ("a.txt", b"attached")))
    outside = [paragraph.text for paragraph in found.outside]
    assert "SECRET//NOFORN" in outside
    assert "the end" in outside
    assert not any(text.startswith("(") for text in outside)
    assert {paragraph.kind for paragraph in found.outside} == {"header"}
    assert [(part.key, part.title) for part in found.parts] == [("message", "Subject"), ("1", "a.txt")]


def test_attachments_of_each_kind_are_documents_of_their_own():
    data = message(
        "text",
        ("a.docx", made.docx(made.p("one"), core="Own title")),
        ("b.eml", message("inner", ("c.csv", b"x,y\n1,2\n"), subject="forwarded")),
        ("d.ics", b"BEGIN:VCALENDAR"),
        ("empty.txt", b""),
        ("blank.txt", b" \n"),
    )
    found = read(data)
    assert [(part.key, part.title) for part in found.parts] == [
        ("message", "Subject"),
        ("1", "Own title"),
        ("2 message", "forwarded"),
        ("2 1", "c.csv"),
        ("3", "d.ics.txt"),
    ]
    assert len({part.key for part in found.parts}) == len(found.parts)


def test_a_message_that_is_forwarded_as_such():
    outer, inner = EmailMessage(), EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("SECRET\n\nwords")
    outer["Subject"] = "outer"
    outer.set_content("see below")
    outer.add_attachment(inner)
    found = read(outer.as_bytes())
    assert [part.title for part in found.parts] == ["outer", "inner"]
    assert "SECRET" in [paragraph.text for paragraph in found.outside]


class TestHtml:
    def test_what_is_sent_twice_is_read_once(self):
        assert [text for _, text in told(message("One two", html="<p>One <b>two</b></p>"))][2:] == ["One two"]

    def test_but_not_where_the_other_says_a_word_more(self):
        said = [text for _, text in told(message("One two", html="<p>SECRET</p><p>One two</p>"))]
        assert said[2:] == ["One two", "SECRET", "One two"]

    def test_html_alone(self):
        data = HEAD + b"Content-Type: text/html; charset=iso-8859-1\n\n<p>\xe9t\xe9</p><script>x</script>"
        assert told(data)[-1] == ("paragraph", "été")

    def test_without_a_word(self):
        data = HEAD + b"Content-Type: text/html\n\n<script>x</script>"
        assert told(data) == [("heading", "s"), ("paragraph", "From: a@x")]


class TestHeads:
    def test_marks_that_gateways_write(self):
        data = (
            b'X-Classification: SECRET\nSIO-Label: marking="TOP \\"X\\" SECRET"; fgcolor=red\nSIO-Label: none\n'
            + HEAD
            + b"\ntext"
        )
        assert told(data)[:2] == [("header", "SECRET"), ("header", 'TOP \\"X\\" SECRET')]

    @pytest.mark.parametrize(
        ("subject", "shown"),
        [
            (b"=?utf-8?B?w6l0w6k=?=", "été"),
            (b"=?iso-8859-1?Q?=E9t=E9?= and =?utf-8?Q?more?=", "été and more"),
            (b"=?rot13?Q?frperg?=", "=?rot13?Q?frperg?="),
            (b"=?utf-8?B?w6l0w6?=", "ét\ufffd"),
            (b"=?utf-8?B?a?=", "=?utf-8?B?a?="),
            (b"=?utf-8?Q?=FF?=", "\ufffd"),
            (b"caf\xe9", "caf\ufffd"),
        ],
    )
    def test_encoded_words(self, subject, shown):
        assert told(b"From: a@x\nSubject: " + subject + b"\n\ntext")[0] == ("heading", shown)

    def test_a_head_without_end(self):
        assert why(b"Subject: " + b"x " * 60_000 + b"\n\n") == (
            "It holds more than 100,000 characters in one of its headers."
        )


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("head", "body", "reason"),
        [
            (
                b"Content-Type: application/pkcs7-mime",
                b"x",
                "It is encrypted or signed so that its text cannot be read.",
            ),
            (b"Content-Type: multipart/mixed", b"x", "It is damaged: its bodies are not parted as it says."),
            (
                b'Content-Type: multipart/mixed; boundary="b"',
                b"--b\n\nx",
                "It is damaged: its bodies are not parted as",
            ),
            (b"Content-Transfer-Encoding: base64", b"SE!!=", "It is damaged: a body of it is not encoded as it says."),
            (b"Content-Transfer-Encoding: own", b"x", "It is packed in a way that is not read."),
            (
                b"Content-Type: text/plain; charset=utf-7",
                b"x",
                "Its text is in an encoding that is not read; save it as",
            ),
            (b"Content-Type: text/plain; charset=utf-8", b"\xff", "Its bytes are not UTF-8 (at byte 0)."),
            (b"Content-Type: text/plain; charset=shift_jis", b"\xff", "Its bytes are not SHIFT_JIS, as it says."),
            (b"Content-Type: text/plain; charset=iso-999", b"\xff", "Its bytes are not ISO-999, as it says."),
            (b"X: y", b"caf\xe9", "Its bytes are not UTF-8 (at byte 3)."),
            (b"X: y", b"a\x00b", "It holds binary data."),
        ],
    )
    def test_texts(self, head, body, reason):
        assert why(HEAD + head + b"\n\n" + body).startswith(reason)

    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("a.exe", b"MZ", "Its attachment 'a.exe' cannot be read: Files of the kind '.exe' are not read."),
            (
                "a.png",
                made.PNG,
                "Its attachment 'a.png' cannot be read: It is a picture; to read it, install Tesseract",
            ),
            ("a.docm", b"PK\x03\x04", "Its attachment 'a.docm' cannot be read: It holds macros; save it without them."),
            ("a.zip", b"PK\x03\x04", "Its attachment 'a.zip' cannot be read: Files of the kind '.zip' are not read."),
            ("a.pdf", b"text", "Its attachment 'a.pdf' cannot be read: Its name ends in '.pdf', but it holds text."),
            (
                "n" * 99 + ".exe",
                b"MZ",
                f"Its attachment '{'n' * 40}...{'n' * 8}.exe' cannot be read: Files of the kind",
            ),
        ],
    )
    def test_an_attachment(self, name, data, reason):
        assert why(message("text", (name, data))).startswith(reason)

    def test_no_message(self):
        assert why(b"just text") == "It holds no message."

    def test_nothing_in_it(self):
        assert why(b"MIME-Version: 1.0\n\n") == "It holds no text."

    def test_messages_inside_each_other(self):
        data = message("innermost")
        for _ in range(bounds.NESTED):
            data = message("text", ("m.eml", data))
        assert len(read(data).parts) == bounds.NESTED + 1
        assert why(message("text", ("m.eml", data))).endswith("It holds more than 3 files inside each other.")

    def test_many_bodies(self):
        data = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 600 + b"--b--\n"
        assert why(data) == "It holds more than 500 bodies."
        assert (
            why(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 600) == "It holds more than 500 bodies."
        )


def test_what_stands_before_and_after_the_bodies_is_read():
    data = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n%b\n--b\n\nbody\n--b--\n%b\n'
    assert [text for _, text in told(data % (b"before", b"after"))][2:] == ["before", "after", "body"]
    assert [text for _, text in told(data % (b"This is a multi-part message in MIME format.", b""))][2:] == ["body"]


def test_a_signature_says_nothing():
    data = HEAD + (
        b'Content-Type: multipart/signed; boundary="b"\n\n--b\n\nbody\n--b\n'
        b"Content-Type: application/pgp-signature\n\nx\n--b--\n"
    )
    assert told(data)[-1] == ("paragraph", "body")


def test_an_attached_text_in_another_charset():
    data = HEAD + (
        b'Content-Type: text/plain; charset=iso-8859-1\nContent-Disposition: attachment; filename="x/y\\\\a.txt"\n'
        b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(b"\xe9t\xe9")
    )
    found = read(data).parts[1]
    assert (found.title, found.pages[0][0].text) == ("a.txt", "été")


def test_an_attachment_without_a_name_is_read_by_what_it_holds():
    data = HEAD + b"Content-Type: application/octet-stream\n\nwords"
    assert [(part.key, part.pages[0][-1].text) for part in read(data).parts][1:] == [("1", "words")]


class TestPictures:
    DATA = message("text", ("a.png", made.PNG), ("b.eml", message("more", ("c.jpg", made.JPEG))))

    def test_are_asked_for_in_their_order(self):
        found = read(self.DATA, recognised=())
        assert isinstance(found, Awaiting)
        assert found.pictures == (made.PNG, made.JPEG)
        assert read(self.DATA, recognised=("one",)).pictures == (made.JPEG,)

    def test_are_read_with_what_was_recognised(self):
        found = read(self.DATA, recognised=("SECRET\n\none\ftwo\f", "three\f"))
        assert [(part.key, part.title, len(part.pages)) for part in found.parts] == [
            ("message", "Subject", 1),
            ("1", "a.png", 2),
            ("2 message", "Subject", 1),
            ("2 1", "c.jpg", 1),
        ]
        assert found.notes == ("Its text was recognised in a picture; words and marks may be misread or missing.",)

    def test_without_words(self):
        assert [part.key for part in read(self.DATA, recognised=("", " \f")).parts] == ["message", "2 message"]
        with pytest.raises(CannotRead, match="no text"):
            extract(Request("a.png", made.PNG, recognised=(" ",)))

    def test_a_message_of_nothing_else(self):
        data = b"MIME-Version: 1.0\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
        data += base64.b64encode(made.PNG)
        assert read(data, recognised=()).pictures == (made.PNG,)

    def test_too_many(self):
        data = message("text", *((f"{at}.png", made.PNG) for at in range(bounds.PICTURES + 1)))
        with pytest.raises(CannotRead, match="more than 200 pictures"):
            read(data, recognised=())

    @pytest.mark.parametrize(
        ("name", "data", "media"),
        [("a.png", made.PNG, "image/png"), ("a.JPEG", made.JPEG, "image/jpeg"), ("a", made.TIFF, "image/tiff")],
    )
    def test_alone(self, name, data, media):
        with pytest.raises(CannotRead, match="install Tesseract"):
            extract(Request(name, data))
        assert extract(Request(name, data, ())).pictures == (data,)
        assert extract(Request(name, data, ("words",))).media == media
