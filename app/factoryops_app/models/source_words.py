"""What reasons of refusal and values of samples are called on the screen."""

from __future__ import annotations

from factoryops_resources.words import say


def reason_name(reason: str) -> str:
    """Why a message or a value was refused; a reason this client does not know is shown as it is."""
    names = {
        "invalid_topic": say("Unknown topic"),
        "too_large": say("Too large"),
        "invalid_json": say("Not JSON"),
        "too_deep": say("Nested too deeply"),
        "duplicate_name": say("A field twice"),
        "not_an_object": say("Not a JSON object"),
        "invalid_metrics": say("No values"),
        "invalid_timestamp": say("Time cannot be read"),
        "future_time": say("Time in the future"),
        "no_usable_value": say("No usable value"),
        "retained": say("Kept by the broker, not news"),
        "not_authorised": say("Not permitted to publish there"),
        "unknown_factory": say("Unknown factory"),
        "unknown_device": say("Unknown device"),
        "too_many_parameters": say("Too many parameters"),
        "too_many_devices": say("Too many devices"),
        "too_many_texts": say("Too many texts"),
        "not_finite": say("Not a finite number"),
        "not_a_number": say("Not a number"),
        "not_a_boolean": say("Neither true nor false"),
        "not_a_text": say("Not a text"),
        "text_too_long": say("Text too long"),
        "invalid_name": say("Name cannot be used"),
        "name_collision": say("Name collides with another"),
        "wrong_identity": say("Names another device than its topic"),
        "ambiguous_topic": say("Topic fits several mappings"),
        "no_device": say("Names no device"),
    }
    return names.get(reason, reason.replace("_", " "))


def value_text(value: bool | float | str) -> str:
    """A number as it is, yes or no, or a text in quotes."""
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return (
        f"\N{LEFT DOUBLE QUOTATION MARK}{value}\N{RIGHT DOUBLE QUOTATION MARK}"
        if isinstance(value, str)
        else f"{value:.10g}"
    )
