"""Where documents come from besides a folder: web pages, sitemaps, Git; and what is remembered of each import."""
