"""Who looks at what goes to a model, as the settings say: the house's own inspectors, and others that are installed."""

from __future__ import annotations

from importlib.util import find_spec

from casemate.errors import Misconfigured
from casemate.models import Inspection, Inspector, PersonalData, Rules, Secrets
from casemate.settings import InspectSettings, PersonalRules, SecretRules

__all__ = ["inspection_of"]

_PACKAGES = {"detect-secrets": "detect_secrets", "presidio": "presidio_analyzer"}


def inspection_of(settings: InspectSettings) -> Inspection:
    """The region's policy. Raises Misconfigured where an inspector that it names is not installed."""
    more = tuple(_also(name, settings.presidio_model) for name in dict.fromkeys(settings.also))
    return Inspection(
        inspectors=(Secrets(), PersonalData(), *more),
        secrets=_rules(settings.secrets),
        personal=_rules(settings.personal),
        seconds=settings.seconds,
    )


def _rules(said: SecretRules | PersonalRules) -> Rules:
    return Rules(said.outside, said.inside)


def _also(name: str, model: str) -> Inspector:
    if find_spec(_PACKAGES[name]) is None:
        raise Misconfigured(setting="inspect.also", why=f"{name} is not installed")
    if name == "presidio":
        from casemate.engines.presidio import Presidio

        return Presidio(model=model)
    from casemate.engines.detect_secrets import DetectSecrets

    return DetectSecrets()
