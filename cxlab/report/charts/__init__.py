"""Charts of short tidy frames: one function a form, axes in, axes out.

Each draws the rows it is given, in their order, and puts words where others put
legends. A row whose number is withheld keeps its place and says so. Colours and
sizes come from `cxlab.report.theme`; the headline belongs to the page.
"""

from cxlab.report.charts.bridge import waterfall
from cxlab.report.charts.columns import columns
from cxlab.report.charts.flow import flow
from cxlab.report.charts.funnel import steps
from cxlab.report.charts.grid import heatmap
from cxlab.report.charts.lines import curve
from cxlab.report.charts.marks import matrix
from cxlab.report.charts.rows import bars, diverging, dots, paired
from cxlab.report.charts.water import waterline

__all__ = [
    "bars",
    "columns",
    "curve",
    "diverging",
    "dots",
    "flow",
    "heatmap",
    "matrix",
    "paired",
    "steps",
    "waterfall",
    "waterline",
]
