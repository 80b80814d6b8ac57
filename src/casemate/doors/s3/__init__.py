"""The S3 wire: buckets and objects for clients that speak Amazon's protocol."""
