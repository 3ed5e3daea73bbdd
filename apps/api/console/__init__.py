"""The console: pages for the people who use the site, and the page at its root address."""
