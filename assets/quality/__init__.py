"""Quality: what stands between staging and publishing, and the publishing itself."""
