"""What is known and where it comes from: catalogue, studies, profiles, readers and storage."""
