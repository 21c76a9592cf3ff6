"""What a PDF needs beside our own packages, as sentences that say how to get it."""

NOT_INSTALLED = 'A PDF needs WeasyPrint: `pip install "afterword[pdf]"`.'
NO_LIBRARIES = (
    "WeasyPrint does not find the libraries of Pango: "
    "`apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`."
)
