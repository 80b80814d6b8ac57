"""The parts of a marking after its head, read from left to right: each is looked up once, with its place.

What is written wrongly but plainly is understood and noted; what is not understood is noted with its place, so that
nothing is passed over. The work is linear in the text: `steps` counts the look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.labels.disguise import shown
from casemate.labels.mark import Finding, Severity
from casemate.labels.marking import sorted_codes, tree
from casemate.labels.policy import SAME, Category, Policy
from casemate.labels.trees import Branches, branches
from casemate.labels.vocabulary import Form, Found, Opened, Vocabulary

__all__ = ["Scan"]


class Scan:
    """What the parts of one marking have said so far.

    `said`: each item's category, tokens and place. `bad`: an unknown part that is not in capitals. `disordered`: the
    first rule that only writing the whole again can meet, and what breaks it. `steps`: the look-ups that it took.
    """

    __slots__ = (
        "_last", "_section", "bad", "disordered", "findings", "form", "owned", "policy", "said", "steps", "values",
        "vocabulary",
    )  # fmt: skip

    def __init__(self, policy: Policy, vocabulary: Vocabulary, form: Form) -> None:
        self.policy = policy
        self.vocabulary = vocabulary
        self.form = form
        self.owned = False
        self.values: dict[str, list[str]] = {}
        self.said: list[tuple[str, Sequence[str], int, int]] = []
        self.findings: list[Finding] = []
        self.steps = 0
        self.bad = False
        self.disordered: tuple[str, str] | None = None
        self._last = (0, 0)
        self._section = 0  # of the policy, where the last item stands

    def sections(self, text: str, at: int) -> None:
        """Read every section from a place on; what parts them is "//" alone."""
        last = text.rfind("//", at)
        last = at if last < 0 else last + 2
        for section in text[at:].split("//"):
            self.section(at, section, last=at == last)
            at += len(section) + 2

    def section(self, at: int, section: str, *, last: bool) -> None:
        """Read the items of one section, which begins at a place in the text."""
        known, fresh = self.vocabulary.items[self.form], True
        for item in self._items(section) if "/" in section else (section,):
            self.steps += 1
            found = known.get(item)
            if found is not None:
                self._found(at, item, found, fresh)
            else:
                bare = item.strip()
                begin = at + item.index(bare)
                if bare != item and bare:
                    self._spaces(at, begin, item, bare)
                self._item(begin, bare, last=last, fresh=fresh)
            at += len(item) + 1
            fresh = False

    def span(self, name: str, category: str) -> tuple[int, int] | None:
        """Where a token, or else its category, is first said."""
        for _, tokens, start, end in self.said:
            if name in tokens:
                return start, end
        return next(((start, end) for said, _, start, end in self.said if said == category), None)

    def note(self, rule: str, severity: Severity, start: int, end: int, fix: str | None = None, **facts: str) -> None:
        """A finding on text[start:end]."""
        paragraph = facts.pop("paragraph", "")
        self.findings.append(Finding(rule, severity, start, end, tuple(facts.items()), paragraph, fix))

    def _spaces(self, at: int, begin: int, item: str, bare: str) -> None:
        end = begin + len(bare)
        if begin > at:
            self.note("separator", "warning", at, begin, "", paragraph="A.6, p. 15")
        if end < at + len(item):
            self.note("separator", "warning", end, at + len(item), "", paragraph="A.6, p. 15")

    def _items(self, section: str) -> list[str]:
        """The items of a section. A list that is known by its end holds slashes of its own."""
        items = section.split("/")
        suffixed = self.vocabulary.suffixed
        if suffixed is None or not any(suffix in section for suffix in suffixed[1]):
            return items
        listing = suffixed[0].listing
        opens = tuple(each for each in listing.prefix.values() if each) if listing else ()
        if opens and section.startswith(opens) and section.endswith(suffixed[1]):
            return [section]
        known = self.vocabulary.recipients[suffixed[0].name]
        joined: list[str] = []
        held: list[str] = []
        for item in items:
            if item.strip() in known:
                held.append(item)
                continue
            joined += ["/".join([*held, item])] if item.endswith(suffixed[1]) else [*held, item]
            held = []
        return joined + held

    def _item(self, at: int, item: str, *, last: bool, fresh: bool) -> None:
        vocabulary = self.vocabulary
        found = vocabulary.items[self.form].get(item)
        if found is not None:
            self._found(at, item, found, fresh)
            return
        same = vocabulary.same.get(item)
        if same is not None:
            self._same(at, item, same, fresh=fresh)
            return
        opened = vocabulary.opened(item)
        if opened is not None:
            self._list(at, item, opened, fresh=fresh)
            return
        if item and self._tree(at, item, fresh=fresh):
            return
        if item and self._family(at, item, last=last, fresh=fresh):
            return
        if item and self._several(at, item, fresh=fresh):
            return
        self._unknown(at, item)

    def _several(self, at: int, item: str, *, fresh: bool) -> bool:
        """Controls of a category that sets its own apart by something else than a slash."""
        for category in self.policy.categories:
            if category.separator == "/":
                continue
            parts = item.split(category.separator)
            found = [self.vocabulary.items[self.form].get(part) for part in parts]
            if all(each is not None and each.category is category for each in found):
                for part, each in zip(parts, found, strict=True):
                    assert each is not None
                    self._found(at, part, each, fresh=fresh)
                    at, fresh = at + len(part) + len(category.separator), False
                return True
        return False

    def _unknown(self, at: int, item: str) -> None:
        if not item:
            self.note("empty-section", "error", at, at, None, paragraph="D.1, p. 27")
            return
        self.bad = self.bad or item != item.upper()
        self.note("unknown-control", "error", at, at + len(item), None, control=shown(item), paragraph="G.1, p. 36")

    def _found(self, at: int, item: str, found: Found, fresh: bool) -> None:
        if found.legacy:
            self._legacy(at, item, found.fix or found.control.written(self._language), found.control.source)
        elif found.fix:
            self._abbreviation(at, item, found.fix, found.control.source)
        self._say(at, len(item), found.category, found.tokens, found.owned if self.owned else found.place, fresh)

    def _same(self, at: int, item: str, category: Category, *, fresh: bool) -> None:
        paragraph = category.whole.source if category.whole else ""
        severity: Severity = "error" if self.form == "full" else "note"
        self.note("as-banner", severity, at, at + len(item), None, list=item, paragraph=paragraph)
        assert category.listing is not None
        self._say(at, len(item), category, [SAME], (category.section, category.listing.order), fresh)

    def _list(self, at: int, item: str, opened: Opened, *, fresh: bool) -> None:
        category, text = opened.category, item[opened.start : opened.end]
        listing = category.listing
        assert listing is not None
        known = self.vocabulary.recipients[category.name]
        names = text.split(listing.separator)
        tokens = [known.get(name) for name in names]
        self.steps += len(names)
        start, end = at + opened.start, at + opened.end
        if None in tokens:
            pairs = self.vocabulary.members(category, text)
            tokens = [token for token, _ in pairs]
            strangers = ", ".join(name for token, name in pairs if token is None)
            if strangers or None in tokens:
                facts = {"code": shown(strangers), "list": shown(text.strip()), "paragraph": _source(category)}
                self.note("unknown-country", "error", start, end, None, **facts)
        said = list(dict.fromkeys(token for token in tokens if token))
        self._ordered(category, said, text, start, end)
        if category.name in self.values:
            self.note(
                "duplicate", "error", at, at + len(item), None, control=category.name, paragraph=_source(category)
            )
            said = [token for token in self.values.pop(category.name) if token in said]
            self._last = (0, 0)
        elif listing.owner_first and category.permissive and said in ([], [category.first]):
            self._only(at, item, category)
        if listing.owner_first and category.permissive and said in ([], [category.first]):
            self._shut(at, item, category, fresh=fresh)
            return
        if said:
            self._say(at, len(item), category, said, (category.section, listing.order), fresh)

    def _ordered(self, category: Category, said: list[str], text: str, start: int, end: int) -> None:
        """Whether a list of codes stands in the prescribed order, and is set apart as prescribed."""
        listing = category.listing
        assert listing is not None
        source, owner = _source(category), category.first
        if listing.owner_first and said[:1] != [owner]:
            others = [token for token in said if token != owner]
            fix = listing.separator.join(sorted_codes(category, [owner, *others]))
            self.note("rel-owner", "error", start, end, fix, control=owner, paragraph=source)
            said[:] = sorted_codes(category, [owner, *others])
            return
        right = list(sorted_codes(category, said))
        codes = [category.codes[token].written(self._language) for token in right]
        if codes != right or text == listing.separator.join(codes):
            said[:] = right
            return
        rule = "rel-order" if said != right else "separator"
        self.note(rule, "warning", start, end, listing.separator.join(codes), list=shown(text), paragraph=source)
        said[:] = right

    def _only(self, at: int, item: str, category: Category) -> None:
        """A list that names its owner alone says what its owner's own mark says."""
        name, token = category.only_as or (category.name, category.owner)
        control = self.policy.by_name[name].control(token)
        fix = control.written(self._language) if control else None
        self.note("rel-alone", "error", at, at + len(item), fix, control=category.owner, paragraph=_source(category))

    def _shut(self, at: int, item: str, category: Category, *, fresh: bool) -> None:
        name, token = category.only_as or (category.name, category.owner)
        other = self.policy.by_name[name]
        self._say(
            at, len(item), other, [token], (other.section, category.listing.order if category.listing else 0), fresh
        )

    def _tree(self, at: int, item: str, *, fresh: bool) -> bool:
        """A system with its compartments; a programme stands in a section that its category's prefix opens."""
        trees = [category for category in self.policy.categories if category.tree]
        if not fresh:
            trees.sort(key=lambda category: category.section != self._section)  # a programme's, not a control system's
        for category in trees:
            text, start = item, at
            if category.prefixes:
                prefix = next((each for each in category.prefixes if item.startswith(each)), "")
                continued = (
                    not fresh and not prefix and self._section == category.section and category.name in self.values
                )
                if not prefix and not continued:
                    continue
                text, start = item[len(prefix) :], at + len(prefix)
                if prefix and not fresh and category.name in self.values:
                    self.note("legacy", "warning", at, start, "", was=prefix, paragraph="I, table 8, p. 192")
            late = self._section > category.section  # an unpublished control system stands where its like do
            read = branches(self.vocabulary, self.form, category, text, late=late)
            self.steps += 1 + text.count("-") + text.count(" ")
            if read is not None:
                self._grown(at, item, start, text, category, read, fresh=fresh)
                return True
        return False

    def _grown(
        self,
        at: int,
        item: str,
        start: int,
        text: str,
        category: Category,
        read: Branches,
        *,
        fresh: bool,
    ) -> None:
        tokens, right, legacy, strangers = read
        if strangers:
            names = [name for name in strangers if category.parent(name) not in strangers]
            source = _family_source(category, names[0])
            facts = {"control": ", ".join(names), "category": category.name, "paragraph": source}
            self.note("undeclared", "warning", start, start + len(text), None, **facts)
        paths = [token.split("-") for token in tokens]
        if legacy or not right or paths != sorted(paths):
            written = "-".join(each for _, each in tree(category, sorted(tokens, key=_path), self._language))
            if legacy:
                self._legacy(start, text, written, "F, p. 35")
            elif not right:
                self._abbreviation(start, text, written, "G.1, table 4, p. 37")
            else:
                self.note("order", "warning", start, start + len(text), written, control=text, paragraph="A.6, p. 15")
            tokens = sorted(tokens, key=_path)
        root = category.tokens.get(tokens[0])
        order = root.order if root else 0
        self._say(at, len(item), category, tokens, (category.section, order), fresh)

    def _family(self, at: int, item: str, *, last: bool, fresh: bool) -> bool:
        """A name that a category leaves to sites and this one has not declared: known by its shape and its place."""
        for category in self.policy.categories:
            for family in category.families:
                if category.tree or family.written is None or not last or not family.written.fullmatch(item):
                    continue
                name = family.like.name + item.replace(" ", "_")
                if not family.match.fullmatch(name):
                    continue
                facts = {"control": name, "category": category.name, "paragraph": family.like.source}
                self.note("undeclared", "warning", at, at + len(item), None, **facts)
                self._say(at, len(item), category, [name], (category.section, family.like.order), fresh)
                return True
        return False

    def _say(
        self, at: int, length: int, category: Category, tokens: Sequence[str], place: tuple[int, int], fresh: bool
    ) -> None:
        """Keep the tokens of an item, and judge where it stands."""
        said = self.values.get(category.name)
        if said is None:
            self.values[category.name] = list(tokens)
        else:
            new = [token for token in tokens if token not in said]
            if not new:
                start, fix = (at, None) if fresh else (at - 1, "")
                self.note("duplicate", "warning", start, at + length, fix, control=tokens[-1], paragraph="A.6, p. 15")
                return
            if category.tree and tokens[0] in said:
                self.disordered = self.disordered or ("duplicate", tokens[0])
            elif category.tree and place <= self._last and self._behind(said, tokens[0]):
                self.disordered = self.disordered or ("order", tokens[0])
            said += new
        self.said.append((category.name, tokens, at, at + length))
        if place < self._last:
            self.disordered = self.disordered or ("order", tokens[-1])
        else:
            self._last = place
        section = place[0]
        if self._section and fresh is (section == self._section):
            self._apart(at, tokens[-1], section == self._section)
        self._section = section

    def _apart(self, at: int, token: str, same: bool) -> None:
        """A section where a slash alone is prescribed, or a slash alone where a section is."""
        start, fix = (at - 2, "/") if same else (at - 1, "//")
        self.note("separator", "warning", start, at, fix, control=token, paragraph="A.6, p. 15")

    def _behind(self, said: list[str], root: str) -> bool:
        """Whether a system that is said already sorts after this one."""
        return any(token > root for token in said if "-" not in token)

    def _abbreviation(self, at: int, item: str, fix: str, source: str) -> None:
        self.note("abbreviation", "warning", at, at + len(item), fix, control=item, written=fix, paragraph=source)

    def _legacy(self, at: int, item: str, fix: str, source: str) -> None:
        right = fix if fix != item else None  # withdrawn without another in its place
        self.note("legacy", "warning", at, at + len(item), right, was=item, written=fix, paragraph=source)

    @property
    def _language(self) -> str:
        return "portion" if self.form == "portion" else "en"


def _path(token: str) -> list[str]:
    return token.split("-")


def _source(category: Category) -> str:
    return category.whole.source if category.whole else ""


def _family_source(category: Category, name: str) -> str:
    control = category.control(name)
    return control.source if control else ""
