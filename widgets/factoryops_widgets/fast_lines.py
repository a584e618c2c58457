"""Columns of points drawn without a Python object per point: the only place that speaks to pyqtgraph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyqtgraph import functions
from PySide6.QtGui import QPainter, QPolygonF

Floats = npt.NDArray[np.float64]


def polygon(x_px: Floats, y_px: Floats) -> QPolygonF:
    """Points in pixels, float64[n] each, as Qt wants them; the columns are copied once, in bulk."""
    made: QPolygonF = functions.arrayToQPolygonF(x_px, y_px)
    return made


def draw_line(painter: QPainter, x_px: Floats, y_px: Floats) -> None:
    """One stroke through the points with the painter's pen; a single point becomes a dot."""
    if len(x_px) == 1:
        painter.drawRect(int(x_px[0]) - 1, int(y_px[0]) - 1, 1, 1)
    else:
        painter.drawPolyline(polygon(x_px, y_px))


def draw_band(painter: QPainter, x_px: Floats, low_px: Floats, high_px: Floats) -> None:
    """Fill between two lines over the same x with the painter's brush."""
    painter.drawPolygon(polygon(np.concatenate([x_px, x_px[::-1]]), np.concatenate([low_px, high_px[::-1]])))
