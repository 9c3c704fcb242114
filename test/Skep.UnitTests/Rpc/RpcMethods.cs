using Google.Protobuf.WellKnownTypes;
using Skep.Rpc;

namespace Skep.UnitTests.Rpc;

/// <summary>Methods over messages that every protobuf library has.</summary>
internal static class RpcMethods
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static readonly RpcMethod<StringValue, StringValue> Echo = new("skep.test.Words", "Echo");
    public static readonly RpcMethod<BytesValue, BytesValue> Bytes = new("skep.test.Words", "Bytes");
    public static readonly RpcMethod<Int32Value, Int32Value> Count = new("skep.test.Words", "Count");
    public static readonly RpcMethod<Int32Value, Int32Value> Sum = new("skep.test.Words", "Sum");
    public static readonly RpcMethod<Int32Value, Int32Value> Talk = new("skep.test.Words", "Talk");

    public static StringValue Word(string value) => new() { Value = value };

    public static Int32Value Number(int value) => new() { Value = value };
}
