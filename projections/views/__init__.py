"""The views. A new one is one file here and one line below."""

from projections.views import device_downloads, licenses, title_downloads
from projections.views.view import View

VIEWS: dict[str, View] = {
    view.NAME: view
    for view in (
        device_downloads,
        licenses,
        title_downloads,
    )
}
