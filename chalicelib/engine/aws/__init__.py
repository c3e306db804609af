"""The engine on DynamoDB, S3, SQS, Kinesis and Secrets Manager."""
