"""Tests; the folder is a package so that its helpers are found before others of that name."""
