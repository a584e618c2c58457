"""The rule language: conditions as data, shared by the editor, the engine and the back-test."""
